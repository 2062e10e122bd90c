//! Who the user is to a registry: what is given for this run, then what is stored.

use serde_json::{Value, json};

use crate::harness::{Image, Output, Proxy, Registry, Response, Tls, Tokens, Tool};

const PASSWORD: &str = "sword:fish";
const TAGS: &str = "[\"v1\"]\n";

/// `user` and `sword:fish`, with padding and without.
const AUTH: &str = "dXNlcjpzd29yZDpmaXNo";

/// A registry that wants this user and password.
pub fn private() -> Registry {
    holding_tags(Registry::builder().basic("user", PASSWORD).start())
}

/// With a tag in each of three repositories.
pub fn holding_tags(registry: Registry) -> Registry {
    for repository in ["a", "a/b", "a/b/c"] {
        registry.tags(repository, ["v1".to_owned()], "sha256:0");
    }
    registry
}

pub fn tags(registry: &Registry) -> Tool {
    Tool::new().args(["tags", &registry.image("a")])
}

/// A file with one entry for the registry.
pub fn auths(registry: &Registry, entry: Value) -> String {
    json!({"auths": {registry.host(): entry}}).to_string()
}

/// The user and password, in a file's words.
fn right() -> Value {
    json!({"auth": AUTH})
}

fn wrong() -> Value {
    json!({"username": "user", "password": "trout"})
}

fn refused(registry: &Registry, hint: &str) -> String {
    format!(
        "docker-registry: {}: tags: access denied (authentication required)\nhint: {hint}\n",
        registry.image("a")
    )
}

#[test]
fn credentials_are_given_by_option_or_environment() {
    let registry = private();
    let pair = format!("user:{PASSWORD}");
    for option in [
        &["-u", &pair][..],
        &["--user", &pair],
        &[&format!("--user={pair}")],
    ] {
        tags(&registry).args(option).run().success(TAGS);
    }
    let variable = "DOCKER_REGISTRY_CREDENTIALS";
    tags(&registry).env(variable, &pair).run().success(TAGS);
    let both = tags(&registry).env(variable, "user:trout");
    both.args(["-u", &pair]).run().success(TAGS);
}

#[test]
fn a_password_comes_from_stdin_without_its_end_of_line() {
    let registry = private();
    for end in ["", "\n", "\r\n", "\nmore\n"] {
        let tool = tags(&registry).args(["-u", "user", "--password-stdin"]);
        tool.stdin(format!("{PASSWORD}{end}")).run().success(TAGS);
    }
    let alone = tags(&registry).arg("--password-stdin").run();
    alone.fails(2, "docker-registry: --password-stdin needs --user\n");
    let twice = tags(&registry).args(["-u", "user:trout", "--password-stdin"]);
    twice.run().fails(
        2,
        "docker-registry: --password-stdin needs --user without a password\n",
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_password_is_asked_for_and_not_shown() {
    let registry = private();
    let tool = tags(&registry).args(["-u", "user", "--color", "never"]);
    let typed = format!("{PASSWORD}\n");
    let output = tool.terminal(&[("Password for user: ", &typed)]);
    output.success(format!("Password for user: \n{TAGS}"));
    let typed = tool.terminal(&[("Password for user: ", "trout\n")]);
    assert_eq!(typed.code, Some(4));
}

#[cfg(target_os = "linux")]
#[test]
fn nobody_is_asked_for_a_password_where_there_is_no_terminal() {
    let setsid = Tool::program("/usr/bin/setsid").arg("--wait");
    let tool = setsid.args([
        env!("CARGO_BIN_EXE_docker-registry"),
        "tags",
        "a",
        "-u",
        "user",
    ]);
    tool.run().fails(
        2,
        "docker-registry: --user needs USER:PASSWORD where there is no terminal\n\
         hint: --password-stdin reads the password from stdin\n",
    );
}

#[test]
fn given_credentials_that_are_refused_are_exit_4() {
    let registry = private();
    let hint = "the given credentials do not let us in";
    // What is stored would be right: it is not what was asked for.
    let tool = tags(&registry).file(".docker/config.json", auths(&registry, right()));
    let option = tool.clone().args(["-u", "user:trout"]);
    option.run().fails(4, refused(&registry, hint));
    let variable = tool.env("DOCKER_REGISTRY_CREDENTIALS", "user:trout");
    variable.run().fails(4, refused(&registry, hint));
    let tokens = Tokens::new().user("user", PASSWORD);
    let registry = holding_tags(Registry::builder().tokens(&tokens).start());
    let host = registry.host();
    tags(&registry).args(["-u", "user:trout"]).run().fails(
        4,
        format!(
            "docker-registry: {host}/a: tags: token from {host}: \
             access denied (authentication required)\n\
             hint: the given credentials do not let us in\n"
        ),
    );
}

#[test]
fn given_credentials_are_for_one_registry() {
    let (first, second) = (private(), private());
    let pair = format!("user:{PASSWORD}");
    let (a, b) = (first.image("a"), second.image("a"));
    let message = |by: &str| {
        let host = first.host();
        format!("docker-registry: {b}: {by} is for one registry, {host}\n")
    };
    let tool = Tool::new().args(["tags", &a, &b]);
    let option = tool.clone().args(["-u", &pair]).run();
    option.fails(2, message("--user"));
    let name = "DOCKER_REGISTRY_CREDENTIALS";
    tool.env(name, &pair).run().fails(2, message(name));
    assert_eq!(first.take(), [""; 0]);
    // Lines are read as they are needed: those of the first registry are answered.
    let listed = Tool::new().args(["tags", "--images", "-", "-u", &pair]);
    let output = listed.stdin(format!("{a}\n{b}\n{a}\n")).run();
    let line = format!("{{\"image\":\"{a}\",\"tags\":[\"v1\"]}}\n");
    let output = output.status(2).stdout(line.repeat(2));
    output.stderr(message("--user"));
    assert_eq!(second.accepted(), 0);
}

#[test]
fn stored_credentials_are_found_in_their_order() {
    let registry = private();
    let (right, wrong) = (auths(&registry, right()), auths(&registry, wrong()));
    // Each place goes before those below it.
    let places = [
        ".docker/config.json",
        "run/containers/auth.json",
        ".config/containers/auth.json",
    ];
    for at in 0..places.len() {
        let mut tool = tags(&registry).file(places[at], &right);
        for place in &places[at + 1..] {
            tool = tool.file(place, &wrong);
        }
        tool.run().success(TAGS);
    }
    let tool = tags(&registry).file(places[0], &wrong);
    let variable = tool.clone().env("DOCKER_AUTH_CONFIG", &right);
    variable.run().success(TAGS);
    let moved = tool.clone().file("elsewhere/config.json", &right);
    let place = moved.home().join("elsewhere");
    moved.env("DOCKER_CONFIG", place).run().success(TAGS);
    let tool = tags(&registry).file(places[1], &wrong).file("auth", &right);
    let file = tool.home().join("auth");
    tool.env("REGISTRY_AUTH_FILE", file).run().success(TAGS);
    // An entry without a secret is what `docker login` leaves beside a helper.
    let empty = tags(&registry).file(places[0], auths(&registry, json!({})));
    empty.file(places[1], &right).run().success(TAGS);
}

#[test]
fn an_entry_holds_a_pair_in_either_form() {
    let registry = private();
    for entry in [
        json!({"auth": AUTH}),
        json!({"username": "user", "password": PASSWORD}),
        json!({"auth": AUTH, "username": "other", "password": "trout"}),
    ] {
        let tool = tags(&registry).file(".docker/config.json", auths(&registry, entry));
        tool.run().success(TAGS);
    }
    let registry = holding_tags(Registry::builder().basic("u", "pa").start());
    for auth in ["dTpwYQ==", "dTpwYQ"] {
        let entry = auths(&registry, json!({"auth": auth}));
        let tool = tags(&registry).file(".docker/config.json", entry);
        tool.run().success(TAGS);
    }
}

#[test]
fn docker_names_a_host_with_or_without_scheme_and_path() {
    let registry = private();
    let host = registry.host();
    for key in [
        host.clone(),
        format!("https://{host}"),
        format!("http://{host}/v2/"),
    ] {
        let file = json!({"auths": {key: right()}}).to_string();
        let tool = tags(&registry).file(".docker/config.json", file);
        tool.run().success(TAGS);
    }
}

#[test]
fn containers_name_paths_and_the_longest_goes_first() {
    let registry = private();
    let host = registry.host();
    let tool = |file: Value| Tool::new().file("run/containers/auth.json", file.to_string());
    let ask = |tool: &Tool, name: &str| tool.again(["tags", &registry.image(name)]).run();
    let deep = tool(json!({"auths": {
        host.as_str(): wrong(), format!("{host}/a"): wrong(), format!("{host}/a/b"): right(),
    }}));
    ask(&deep, "a/b").success(TAGS);
    ask(&deep, "a/b/c").success(TAGS);
    assert_eq!(ask(&deep, "a").code, Some(4));
    let shallow = tool(json!({"auths": {host.as_str(): right(), format!("{host}/a/b"): wrong()}}));
    ask(&shallow, "a").success(TAGS);
    assert_eq!(ask(&shallow, "a/b/c").code, Some(4));
    // In Docker's file a path means nothing.
    let docker = json!({"auths": {format!("{host}/x"): right()}}).to_string();
    let docker = Tool::new().file(".docker/config.json", docker);
    ask(&docker, "a").success(TAGS);
}

#[test]
fn stored_credentials_that_are_refused_are_warned_of_once() {
    let tokens = Tokens::new().user("user", PASSWORD);
    let registry = holding_tags(Registry::builder().tokens(&tokens).start());
    let (host, image) = (registry.host(), registry.image("a"));
    let tool = tags(&registry).file(".docker/config.json", auths(&registry, wrong()));
    let file = tool.home().join(".docker/config.json");
    let warning = format!(
        "docker-registry: warning: {host} refuses the credentials of {}: going on without\n",
        file.display()
    );
    tool.run().status(0).stdout(TAGS).stderr(&warning);
    let both = tool.again(["tags", &image, &registry.image("a/b")]).run();
    both.status(0).stderr(&warning);
    // Who goes on without may still not come in.
    let registry = private();
    let tool = tags(&registry).file(".docker/config.json", auths(&registry, wrong()));
    let Output { stderr, code, .. } = tool.run();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!((code, stderr.matches("warning").count()), (Some(4), 1));
}

#[test]
fn a_file_that_is_no_json_is_warned_of_and_not_quoted() {
    let registry = private();
    let tool = tags(&registry).file(".docker/config.json", "{\"auths\":\n trout}");
    let file = tool.home().join(".docker/config.json");
    let host = registry.host();
    let hint =
        format!("it may not exist, or need credentials: docker login {host}, or -u USER:PASSWORD");
    tool.run().fails(
        4,
        format!(
            "docker-registry: warning: {}: not JSON: a value is expected at line 2 column 2\n{}",
            file.display(),
            refused(&registry, &hint)
        ),
    );
}

#[test]
fn a_file_that_cannot_be_read_is_warned_of() {
    let registry = private();
    let tool = tags(&registry);
    let file = tool.home().join(".docker/config.json");
    std::fs::create_dir_all(&file).unwrap();
    let output = tool.run().status(4).stdout("");
    let warning = format!("docker-registry: warning: {}: ", file.display());
    assert!(
        output.messages().starts_with(&warning),
        "{}",
        output.messages()
    );
}

/// A registry that answers everybody, and says at `/v2/` who it knows, as zot does.
fn answering_everybody(challenge: &str) -> Registry {
    let registry = holding_tags(Registry::start());
    let hello = Response::new(200).header("WWW-Authenticate", challenge);
    registry.answer("GET", "/v2/", hello);
    registry
}

#[test]
fn given_credentials_are_used_where_everybody_is_answered() {
    let registry = answering_everybody("Basic realm=zot");
    for (command, target) in [("tags", "/v2/a/tags/list"), ("catalog", "/v2/_catalog")] {
        let operand = match command {
            "tags" => registry.image("a"),
            _ => registry.host(),
        };
        let tool = Tool::new().args([command, &operand, "-u", &format!("user:{PASSWORD}")]);
        let output = tool.run();
        assert_eq!(output.code, Some(0));
        let requests = registry.requests();
        let sent: Vec<_> = requests
            .iter()
            .map(|it| (it.target.as_str(), it.header("Authorization").is_some()))
            .collect();
        assert_eq!(sent, [(target, false), ("/v2/", false), (target, true)]);
        registry.take();
        let refusal = Response::new(401).header("WWW-Authenticate", "Basic realm=zot");
        registry.fail(target, refusal).after(1);
        let wrong = Tool::new().args([command, &operand, "-u", "user:trout"]);
        let output = wrong.run().status(4).stdout("");
        let hint = "the given credentials do not let us in";
        assert!(output.messages().contains(hint), "{}", output.messages());
        registry.take();
    }
    // What is stored is for who asks for it.
    let stored = tags(&registry).file(".docker/config.json", auths(&registry, right()));
    stored.run().success(TAGS);
    assert_eq!(registry.take().len(), 1);
}

#[test]
fn given_credentials_get_a_token_where_everybody_is_answered() {
    let tokens = Tokens::new().user("user", PASSWORD);
    let server = Registry::builder().token_server(&tokens).start();
    let realm = format!("Bearer realm=\"{}/token\"", server.base());
    let registry = answering_everybody(&realm);
    let pair = format!("user:{PASSWORD}");
    tags(&registry).args(["-u", &pair]).run().success(TAGS);
    let requests = registry.requests();
    let last = requests.last().unwrap().header("Authorization").unwrap();
    assert!(last.starts_with("Bearer "), "{last}");
    let wrong = tags(&registry).args(["-u", "user:trout"]).run();
    assert_eq!(wrong.code, Some(4));
}

#[test]
fn a_registry_that_knows_nobody_is_asked_so_once() {
    let registry = holding_tags(Registry::start());
    // Whatever is found there is no reason to lose the list.
    let lost = Response::new(307).header("Location", "ftp://example.com/");
    registry.answer("GET", "/v2/", lost);
    let pair = format!("user:{PASSWORD}");
    let names = ["a", "a/b", "a/b/c"].map(|name| registry.image(name));
    let tool = Tool::new().args(["tags", "-j1", "-u", &pair]).args(&names);
    assert_eq!(tool.run().code, Some(0));
    let requests = registry.requests();
    let hellos = requests.iter().filter(|it| it.path() == "/v2/");
    assert_eq!((requests.len(), hellos.count()), (4, 1));
    assert!(
        requests
            .iter()
            .all(|it| it.header("Authorization").is_none())
    );
}

#[test]
fn credentials_are_shown_only_where_they_may_change_the_answer() {
    let registry = answering_everybody("Basic realm=zot");
    Image::new("linux/amd64").push_to(&registry, "b", "v1");
    registry.absent("/v2/c/tags/list");
    let pair = format!("user:{PASSWORD}");
    for (command, image, code) in [("digest", "b:v1", 0), ("tags", "c", 3)] {
        let tool = Tool::new().args([command, &registry.image(image), "-u", &pair]);
        assert_eq!(tool.run().code, Some(code), "{command}");
        let [asked] = &registry.requests()[..] else {
            panic!("{command}: {:?}", registry.take());
        };
        assert_eq!(asked.header("Authorization"), None, "{command}");
        registry.take();
    }
    tags(&registry).args(["-u", &pair]).run().success(TAGS);
    assert_eq!(registry.take().len(), 3);
}

#[test]
fn credentials_that_are_refused_for_one_scope_are_good_for_another() {
    let tokens = Tokens::new().private().user("user", PASSWORD);
    let registry = holding_tags(Registry::builder().tokens(&tokens).start());
    registry.fail(
        "/token?service=suite&scope=repository:a:pull&account=user",
        401,
    );
    let (a, b) = (registry.image("a"), registry.image("a/b"));
    let tool = Tool::new().args(["tags", "-j1", &a, &b]);
    let tool = tool.file(".docker/config.json", auths(&registry, right()));
    let file = tool.home().join(".docker/config.json");
    let output = tool.run().status(4);
    let output = output.stdout(format!("{{\"image\":\"{b}\",\"tags\":[\"v1\"]}}\n"));
    let warning = format!(
        "docker-registry: warning: {} refuses the credentials of {}: going on without\n",
        registry.host(),
        file.display()
    );
    let message = output.messages();
    assert!(message.starts_with(&warning), "{message}");
    assert_eq!(message.matches("warning").count(), 1, "{message}");
}

#[test]
fn the_name_of_docker_hubs_api_finds_its_login() {
    let tls = Tls::named(&["registry-1.docker.io"]);
    let registry = Registry::builder().tls(tls).basic("user", PASSWORD);
    let registry = holding_tags(registry.start());
    let proxy = Proxy::start().route("registry-1.docker.io:443", &registry.host());
    let tool = Tool::new().args(["tags", "registry-1.docker.io/a/b", "--cacert"]);
    let tool = tool.arg(registry.ca()).env("HTTPS_PROXY", proxy.url());
    for key in [
        "https://index.docker.io/v1/",
        "docker.io",
        "registry-1.docker.io",
    ] {
        let file = json!({"auths": {key: right()}}).to_string();
        let tool = tool.clone().file(".docker/config.json", file);
        tool.run().success(TAGS);
    }
    // Helpers know it by its oldest name.
    let script = format!(
        r#"[ "$(cat)" = https://index.docker.io/v1/ ] && echo '{{"Username":"user","Secret":"{PASSWORD}"}}'"#
    );
    let file = json!({"credsStore": "suite"}).to_string();
    let tool = tool.file(".docker/config.json", file);
    let tool = tool.script("docker-credential-suite", &script);
    tool.run().success(TAGS);
}
