//! The suite's own registry is strict, and right unless told otherwise.

use super::panic_of;
use crate::harness::{
    Client, Fault, Image, Index, Registry, Response, Server, Tls, Tokens, sha256,
};

#[test]
fn an_unscripted_request_fails_the_test() {
    let message = panic_of(|| {
        let registry = Registry::start();
        Client::connect(&registry.host(), None).get("/v2/a/manifests/v1");
    });
    assert!(
        message.contains("not announced as absent: GET /v2/a/manifests/v1"),
        "{message}"
    );
}

#[test]
fn a_fault_never_reached_fails_the_test() {
    let message = panic_of(|| {
        let registry = Registry::start();
        registry.fail("/v2/a/manifests/v1", Fault::Hangup).times(2);
        let client = Client::connect(&registry.host(), None);
        client
            .try_send("GET", "/v2/a/manifests/v1", &[], b"")
            .expect_err("no answer");
    });
    assert!(
        message.contains("not asked for 1 more times: /v2/a/manifests/v1"),
        "{message}"
    );
}

#[test]
fn what_is_announced_as_absent_may_be_asked_for() {
    let registry = Registry::start();
    registry.absent("/v2/a/manifests/v1");
    let client = Client::connect(&registry.host(), None);
    assert_eq!(client.get("/v2/a/manifests/v1").status, 404);
    assert_eq!(registry.take(), ["GET /v2/a/manifests/v1"]);
}

#[test]
fn documents_come_with_type_and_digest() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").label("a", "b").layer("f", b"x");
    let index = Index::new().image(image.clone()).attestation().oci();
    let digest = index.push_to(&registry, "a", "v1");
    let client = Client::connect(&registry.host(), None);
    let answer = client.get("/v2/a/manifests/v1");
    assert_eq!(answer.body, index.bytes());
    assert_eq!(sha256(&answer.body), digest);
    assert_eq!(answer.get("Docker-Content-Digest"), Some(&*digest));
    assert_eq!(
        answer.get("Content-Type"),
        Some("application/vnd.oci.image.index.v1+json")
    );
    let blob = format!("/v2/a/blobs/{}", image.config_digest());
    assert_eq!(client.get(&blob).body, image.config());
    let part = client.send("GET", &blob, &[("Range", "bytes=2-8")], b"");
    assert_eq!((part.status, part.body), (206, b"created".to_vec()));
    let head = client.send("HEAD", &blob, &[], b"");
    let length = image.config().len().to_string();
    assert_eq!(head.get("Content-Length"), Some(&*length));
    assert_eq!(registry.connections(), 1);
}

#[test]
fn a_kind_that_is_not_accepted_is_not_found() {
    let registry = Registry::start();
    Image::new("linux/amd64").push_to(&registry, "a", "v1");
    let client = Client::connect(&registry.host(), None);
    let only = [("Accept", "application/vnd.oci.image.index.v1+json")];
    let answer = client.send("GET", "/v2/a/manifests/v1", &only, b"");
    assert_eq!(answer.status, 404);
    registry.forgive();
}

#[test]
fn tags_come_in_pages() {
    let registry = Registry::builder().page_size(2).start();
    let digest = Image::new("linux/amd64").push_to(&registry, "a", "v1");
    registry.tags("a", ["v2", "v3"].map(str::to_owned), &digest);
    let client = Client::connect(&registry.host(), None);
    let first = client.get("/v2/a/tags/list");
    assert_eq!(first.body, br#"{"name":"a","tags":["v1","v2"]}"#);
    assert_eq!(
        first.get("Link"),
        Some(r#"</v2/a/tags/list?last=v2&n=2>; rel="next""#)
    );
    let second = client.get("/v2/a/tags/list?last=v2&n=2");
    assert_eq!(second.body, br#"{"name":"a","tags":["v3"]}"#);
    assert_eq!(second.get("Link"), None);
}

#[test]
fn faults_strike_in_order() {
    let registry = Registry::start();
    registry.blob("a", "hello");
    let path = format!("/v2/a/blobs/{}", sha256("hello"));
    registry.fail(&path, 503);
    registry.fail(&path, Response::new(429).header("Retry-After", "1"));
    registry.fail(&path, Fault::WrongBytes(b"wrong".to_vec()));
    registry
        .fail("/v2/*", Fault::WithoutHeader("ETag"))
        .always();
    registry.fail(&path, Fault::Truncate(2)).after(1);
    let client = Client::connect(&registry.host(), None);
    assert_eq!(client.get(&path).status, 503);
    assert_eq!(client.get(&path).get("Retry-After"), Some("1"));
    let wrong = client.get(&path);
    assert_eq!((&*wrong.body, wrong.get("ETag")), (&b"wrong"[..], None));
    assert_eq!(client.get(&path).body, b"hello");
    let cut = client.try_send("GET", &path, &[], b"");
    assert_eq!(
        cut.expect_err("too short").kind(),
        std::io::ErrorKind::UnexpectedEof
    );
}

#[test]
fn a_stalled_answer_ends_with_the_test() {
    let registry = Registry::start();
    registry.blob("a", "hello");
    let path = format!("/v2/a/blobs/{}", sha256("hello"));
    registry.fail(&path, Fault::StallAfter(2));
    let client = Client::connect(&registry.host(), None);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| client.try_send("GET", &path, &[], b""));
        registry.wait_for_stall();
        assert!(!asking.is_finished());
        drop(registry);
        asking.join().unwrap().expect_err("an end in the middle");
    });
}

#[test]
fn requests_can_be_made_to_meet() {
    let registry = Registry::start();
    registry.blob("a", "hello");
    let path = format!("/v2/a/blobs/{}", sha256("hello"));
    registry.fail(&path, Fault::Together(3)).times(3);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| Client::connect(&registry.host(), None).get(&path));
        }
    });
    assert_eq!(registry.most_at_once(), 3);
    assert_eq!(registry.connections(), 3);
}

#[test]
fn tls_servers_are_known_by_their_certificate() {
    for tls in [Tls::authority(), Tls::self_signed()] {
        let registry = Registry::builder().tls(tls).start();
        let client = Client::connect(&registry.host(), Some(registry.tls()));
        assert_eq!(client.get("/v2/").body, b"{}");
        let plain = Client::connect(&registry.host(), None);
        assert_eq!(plain.get("/v2/").status, 400);
        assert_eq!(registry.connections(), 1);
    }
}

#[test]
fn a_client_without_its_certificate_is_not_let_in() {
    let tls = Tls::authority().client_required();
    let registry = Registry::builder().tls(tls).start();
    let client = Client::connect(&registry.host(), Some(registry.tls()));
    client
        .try_send("GET", "/v2/", &[], b"")
        .expect_err("no answer");
    assert_eq!(registry.requests().len(), 0);
}

#[test]
fn basic_credentials_are_checked() {
    let registry = Registry::builder().basic("user", "password").start();
    let client = Client::connect(&registry.host(), None);
    let answer = client.get("/v2/");
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.get("WWW-Authenticate"),
        Some("Basic realm=\"suite\"")
    );
    let client = client.authorization("Basic dXNlcjpwYXNzd29yZA==".to_owned());
    assert_eq!(client.get("/v2/").status, 200);
}

#[test]
fn tokens_are_good_for_their_scope() {
    let tokens = Tokens::new();
    let registry = Registry::builder().tokens(&tokens).start();
    let digest = Image::new("linux/amd64").push_to(&registry, "a", "v1");
    Image::new("linux/amd64").push_to(&registry, "b", "v1");
    let client = Client::connect(&registry.host(), None);
    let challenge = format!(
        "Bearer realm=\"{}/token\",service=\"suite\",scope=\"repository:a:pull\"",
        registry.base()
    );
    let refused = client.get("/v2/a/manifests/v1");
    assert_eq!(refused.get("WWW-Authenticate"), Some(&*challenge));
    let answer = client.get("/token?service=suite&scope=repository%3Aa%3Apull");
    let answer: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer["expires_in"], 300);
    let token = answer["token"].as_str().unwrap();
    let client = client.authorization(format!("Bearer {token}"));
    let answer = client.get("/v2/a/manifests/v1");
    assert_eq!(answer.get("Docker-Content-Digest"), Some(&*digest));
    let other = client.get("/v2/b/manifests/v1");
    let challenge = other.get("WWW-Authenticate").unwrap();
    assert!(challenge.ends_with("error=\"insufficient_scope\""));
    tokens.revoke_all();
    assert_eq!(client.get("/v2/a/manifests/v1").status, 401);
}

#[test]
fn what_was_pushed_is_there_until_deleted() {
    let registry = Registry::start();
    let client = Client::connect(&registry.host(), None);
    let start = client.send("POST", "/v2/a/blobs/uploads/", &[], b"");
    let (location, digest) = (start.get("Location").unwrap(), sha256("hello"));
    client.send("PATCH", location, &[], b"hel");
    let finish = format!("{location}?digest={digest}");
    assert_eq!(client.send("PUT", &finish, &[], b"lo").status, 201);
    let mount = format!("/v2/b/blobs/uploads/?mount={digest}&from=a");
    assert_eq!(client.send("POST", &mount, &[], b"").status, 201);
    assert_eq!(client.get(&format!("/v2/b/blobs/{digest}")).body, b"hello");
    let document = Image::new("linux/amd64").manifest();
    let kind = [(
        "Content-Type",
        "application/vnd.docker.distribution.manifest.v2+json",
    )];
    let put = client.send("PUT", "/v2/a/manifests/v1", &kind, &document);
    assert_eq!(put.status, 400, "its configuration is not there");
    registry.blob("a", Image::new("linux/amd64").config());
    let put = client.send("PUT", "/v2/a/manifests/v1", &kind, &document);
    assert_eq!(put.status, 201);
    let digest = put.get("Docker-Content-Digest").unwrap();
    assert_eq!(registry.tagged("a"), [("v1".to_owned(), digest.to_owned())]);
    let delete = format!("/v2/a/manifests/{digest}");
    assert_eq!(client.send("DELETE", &delete, &[], b"").status, 202);
    assert_eq!(registry.tagged("a"), []);
}

#[test]
fn referrers_are_found_by_their_subject() {
    let registry = Registry::start();
    let digest = Image::new("linux/amd64").push_to(&registry, "a", "v1");
    let subject = serde_json::json!({"digest": digest});
    let signature = Image::new("linux/amd64")
        .oci()
        .in_manifest("subject", subject)
        .in_manifest("artifactType", "application/example".into());
    let own = signature.push(&registry, "a", None);
    let client = Client::connect(&registry.host(), None);
    let index = client.get(&format!("/v2/a/referrers/{digest}")).body;
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    assert_eq!(index["manifests"][0]["digest"], own);
    assert_eq!(index["manifests"][0]["artifactType"], "application/example");
    let other = client.get(&format!("/v2/a/referrers/{digest}?artifactType=x"));
    assert!(other.body.ends_with(br#""manifests":[]}"#));
}

#[test]
fn bodies_can_come_in_chunks() {
    let registry = Registry::builder().on_ipv6().start();
    registry.blob("a", "hello");
    let path = format!("/v2/a/blobs/{}", sha256("hello"));
    registry.fail(&path, Fault::Header("Transfer-Encoding", "chunked".into()));
    let client = Client::connect(&registry.host(), None);
    let answer = client.get(&path);
    assert_eq!(
        (&*answer.body, answer.get("Content-Length")),
        (&b"hello"[..], None)
    );
    assert_eq!(client.get(&path).get("Content-Length"), Some("5"));
}

#[test]
fn a_refused_request_meets_no_fault_unless_it_should() {
    let registry = Registry::builder().basic("user", "password").start();
    registry.fail("/v2/", 503);
    let challenge = Fault::WithoutHeader("WWW-Authenticate");
    registry.fail("/v2/", challenge).before_auth();
    let client = Client::connect(&registry.host(), None);
    let first = client.get("/v2/");
    assert_eq!((first.status, first.get("WWW-Authenticate")), (401, None));
    let client = client.authorization("Basic dXNlcjpwYXNzd29yZA==".to_owned());
    assert_eq!(client.get("/v2/").status, 503);
}

#[test]
fn refresh_tokens_are_taken_by_post() {
    let tokens = Tokens::new()
        .refresh_token("user", "identity")
        .fields(&["access_token"])
        .expires_in(None);
    let server = Registry::builder().token_server(&tokens).start();
    let client = Client::connect(&server.host(), None);
    let form = b"grant_type=refresh_token&refresh_token=identity&scope=repository%3Aa%3Apush";
    let answer = client.send("POST", "/token", &[], form);
    let answer: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(answer.as_object().unwrap().len(), 1);
    let registry = Registry::builder().tokens(&tokens).start();
    let client = Client::connect(&registry.host(), None);
    let client = client.authorization(format!("Bearer {token}"));
    let start = client.send("POST", "/v2/a/blobs/uploads/", &[], b"");
    assert_eq!(start.status, 401, "push without pull");
    assert_eq!(
        start.get("WWW-Authenticate").unwrap(),
        format!(
            "Bearer realm=\"{}/token\",service=\"suite\",\
             scope=\"repository:a:pull,push\",error=\"insufficient_scope\"",
            server.base()
        )
    );
    let tokens = tokens.without_post(405);
    assert_eq!(tokens.issued(), 1);
    let client = Client::connect(&server.host(), None);
    assert_eq!(client.send("POST", "/token", &[], form).status, 405);
}

#[test]
fn servers_can_be_no_registries() {
    let server = Server::saying(b"HTTP/1.0 200 OK\r\n\r\nhello");
    let client = Client::connect(&server.host(), None);
    assert_eq!(client.get("/v2/").body, b"hello");
    let server = Server::silent();
    let client = Client::connect(&server.host(), None);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| client.try_send("GET", "/v2/", &[], b""));
        drop(server);
        asking.join().unwrap().expect_err("no answer");
    });
}
