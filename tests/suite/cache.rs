//! What is remembered between runs: believed only as far as it proves itself, and never in the way.

use std::fs;
use std::path::PathBuf;

use crate::harness::{Fault, Image, Index, NOBODY, Registry, Response, Tls, Tokens, Tool};

const LABELS: &str = "{\"a\":\"b\"}\n";

fn image(label: &str) -> Image {
    Image::new("linux/arm64").label("a", label)
}

/// A registry with `a:v1`, and the question for its labels.
fn asking() -> (Registry, Tool) {
    let registry = Registry::start();
    let index = Index::new().image(image("b"));
    index.push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    let labels = Tool::new().args(["labels", "-r", "--arch=arm64", &name]);
    (registry, labels)
}

/// Asks, with `LABELS` as the answer, and gives the number of requests.
#[track_caller]
fn count(registry: &Registry, labels: &Tool) -> usize {
    labels.run().success(LABELS);
    registry.take().len()
}

/// The files of the cache.
fn files(tool: &Tool) -> Vec<PathBuf> {
    let shelves = ["content", "tags", "registries"];
    let shelves = shelves.map(|shelf| tool.home().join(".cache/docker-registry").join(shelf));
    let entries = shelves.iter().filter_map(|shelf| fs::read_dir(shelf).ok());
    let paths = entries.flatten().map(|entry| entry.unwrap().path());
    paths.collect()
}

#[test]
fn a_tag_that_moved_is_noticed() {
    let (registry, labels) = asking();
    assert_eq!(count(&registry, &labels), 3);
    let index = Index::new().image(image("c"));
    let digest = index.push_to(&registry, "a", "v1");
    labels.run().success("{\"a\":\"c\"}\n");
    let asked = registry.take();
    assert_eq!(asked.len(), 4);
    assert_eq!(asked[0], "HEAD /v2/a/manifests/v1");
    assert_eq!(asked[1], format!("GET /v2/a/manifests/{digest}"));
    Index::new().image(image("b")).push_to(&registry, "a", "v1");
    assert_eq!(count(&registry, &labels), 1);
}

#[test]
fn without_the_cache_all_is_asked_again() {
    let (registry, labels) = asking();
    let without = labels.clone().arg("--no-cache");
    assert_eq!(count(&registry, &without), 3);
    assert!(files(&labels).is_empty());
    assert_eq!(count(&registry, &labels), 3);
    assert_eq!(count(&registry, &without), 3);
}

#[test]
fn an_older_answer_is_believed_if_allowed() {
    let (registry, labels) = asking();
    let recent = labels.clone().arg("--max-age=1h");
    assert_eq!(count(&registry, &recent), 3);
    assert_eq!(count(&registry, &recent), 0);
    assert_eq!(count(&registry, &labels), 1);
    assert_eq!(count(&registry, &labels.clone().arg("--max-age=0s")), 1);
    let hour = std::time::Duration::from_secs(3601);
    for file in files(&labels) {
        let written = fs::metadata(&file).unwrap().modified().unwrap();
        let file = fs::File::options().write(true).open(file).unwrap();
        file.set_modified(written - hour).unwrap();
    }
    assert_eq!(count(&registry, &recent), 1);
}

#[test]
fn tags_are_believed_if_allowed() {
    let (registry, labels) = asking();
    let name = registry.image("a");
    let tags = labels.again(["tags", "--max-age=1h", &name]);
    for requests in [1, 0] {
        tags.run().success("[\"v1\"]\n");
        assert_eq!(registry.take().len(), requests);
    }
    let offline = labels.again(["tags", "--offline", &name]);
    offline.run().success("[\"v1\"]\n");
    assert_eq!(registry.take().len(), 0);
}

#[test]
fn offline_nothing_is_asked() {
    let (registry, labels) = asking();
    let name = registry.image("a:v1");
    let offline = labels.clone().arg("--offline");
    let missing = |what: &str| {
        format!(
            "docker-registry: {name}: {what}: not in the cache\n\
             hint: without --offline the registry is asked\n"
        )
    };
    offline.run().fails(5, missing("tag v1"));
    let tags = labels.again(["tags", "--offline", &name]).run();
    tags.fails(5, missing("tags"));
    let digest = labels.again(["digest", "--arch=arm64", &name]).run();
    digest.success(image("b").digest() + "\n");
    offline.run().fails(5, missing(&image("b").digest()));
    assert_eq!(registry.take(), ["GET /v2/a/manifests/v1"]);
    assert_eq!(count(&registry, &labels), 3);
    assert_eq!(count(&registry, &offline), 0);
    let digest = format!("a@{}", image("b").digest());
    let digest = labels.again(["digest", "--offline", &registry.image(&digest)]);
    digest.run().success(image("b").digest() + "\n");
}

#[test]
fn what_was_asked_for_is_enough_to_resolve_a_tag() {
    let (registry, labels) = asking();
    let digest = Index::new().image(image("b")).digest();
    let pinned = format!("{}@{digest}", registry.image("a:v1"));
    let changed = labels.again(["changed", &pinned]);
    for (option, requests) in [("--max-age=1h", 1), ("--max-age=1h", 0), ("--offline", 0)] {
        let output = changed.clone().arg(option).run();
        assert_eq!(output.code, Some(8), "{}", output.messages());
        assert_eq!(registry.take().len(), requests, "{option}");
    }
}

#[test]
fn offline_no_layer_is_fetched() {
    let registry = Registry::start();
    let image = image("b").layer("f", b"x");
    let digest = image.push_to(&registry, "a", "v1");
    let name = registry.image(&format!("a@{digest}"));
    let tool = Tool::new().args(["verifytool", &name]);
    let _ = tool.run().status(0);
    registry.take();
    let layers = tool.again(["verifytool", "--layers", "--offline", &name]);
    let output = layers.run();
    assert_eq!(output.code, Some(5), "{}", output.messages());
    assert!(registry.take().is_empty());
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    for option in ["--offline", "--max-age=1h"] {
        for without in ["--no-cache", "--insecure"] {
            let asked = Tool::new().args(["labels", without, option, NOBODY]);
            let name = option.split('=').next().unwrap();
            let expected = format!("docker-registry: {name} cannot be used with {without}\n");
            asked.run().fails(2, expected);
        }
    }
}

#[test]
fn what_is_not_verified_is_neither_kept_nor_found() {
    let tokens = Tokens::new();
    let registry = Registry::builder().tls(Tls::authority()).tokens(&tokens);
    let registry = registry.start();
    image("b").push_to(&registry, "a", "v1");
    let labels = Tool::new().args(["labels", "-r", &registry.image("a:v1")]);
    let insecure = labels.clone().arg("-k");
    let trusting = labels.clone().arg("--cacert").arg(registry.ca());
    assert_eq!(count(&registry, &insecure), 4);
    assert!(files(&labels).is_empty());
    assert_eq!(count(&registry, &trusting), 4);
    assert_eq!(count(&registry, &trusting), 1);
    assert_eq!(count(&registry, &insecure), 4);
}

#[test]
fn credentials_do_not_go_where_the_last_run_was_sent() {
    let tokens = Tokens::new().user("user", "password");
    let elsewhere = Registry::builder().token_server(&tokens).start();
    let registry = Registry::builder().tokens(&tokens);
    let own = "Bearer realm=\"/token\",scope=\"{scope}\"";
    let registry = registry.challenges(&[own]).start();
    image("b").push_to(&registry, "a", "v1");
    let labels = Tool::new().args(["labels", "-r", &registry.image("a:v1")]);
    let realm = format!("Bearer realm=\"{}/token\"", elsewhere.base());
    let sent = Response::new(401).header("WWW-Authenticate", realm);
    registry.fail("/v2/a/manifests/v1", sent).before_auth();
    labels.run().success(LABELS);
    assert_eq!(elsewhere.take().len(), 1);
    registry.take();
    let auths = format!(
        "{{\"auths\":{{\"{}\":{{\"username\":\"user\",\"password\":\"password\"}}}}}}",
        registry.host()
    );
    for tool in [
        labels.clone().arg("-uuser:password"),
        labels.clone().file(".docker/config.json", auths),
    ] {
        assert_eq!(count(&registry, &tool), 3);
    }
    assert_eq!(elsewhere.take(), [""; 0]);
}

#[test]
fn a_token_for_a_client_certificate_is_not_remembered() {
    let tokens = Tokens::new();
    let tls = Tls::authority().client_required();
    let registry = Registry::builder().tls(tls).tokens(&tokens).start();
    image("b").push_to(&registry, "a", "v1");
    let (cert, key) = registry.tls().client();
    let labels = Tool::new().args(["labels", "-r", &registry.image("a:v1"), "--cacert"]);
    let labels = labels.arg(registry.ca()).arg("--cert").arg(cert);
    let labels = labels.arg("--key").arg(key);
    // The challenge is remembered, which asks for nobody's token.
    for requests in [4, 2] {
        assert_eq!(count(&registry, &labels), requests);
    }
    for file in files(&labels) {
        let bytes = fs::read(file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("\"token\":"), "{text}");
    }
}

#[test]
fn a_damaged_file_is_as_good_as_none() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 5] = [
        ("flipped", |bytes| *bytes.last_mut().unwrap() ^= 1),
        ("cut off", |bytes| bytes.truncate(bytes.len() / 2)),
        ("empty", Vec::clear),
        ("longer", |bytes| bytes.push(b'\n')),
        ("another", |bytes| *bytes = b"{}".to_vec()),
    ];
    for (what, damage) in damages {
        let (registry, labels) = asking();
        assert_eq!(count(&registry, &labels), 3);
        for file in files(&labels) {
            let mut bytes = fs::read(&file).unwrap();
            damage(&mut bytes);
            fs::write(file, bytes).unwrap();
        }
        assert_eq!(count(&registry, &labels), 3, "{what}");
        assert_eq!(count(&registry, &labels), 1, "{what}");
    }
}

/// Each file is put into the place of each other, as a restored backup or a bad disk might.
#[test]
fn a_file_in_the_wrong_place_is_as_good_as_none() {
    let (registry, labels) = asking();
    assert_eq!(count(&registry, &labels), 3);
    let names = files(&labels);
    let contents: Vec<Vec<u8>> = names.iter().map(|name| fs::read(name).unwrap()).collect();
    // Three documents, the tag, and that the registry does not speak TLS.
    assert_eq!(names.len(), 5);
    for shift in 1..names.len() {
        for (i, name) in names.iter().enumerate() {
            fs::write(name, &contents[(i + shift) % contents.len()]).unwrap();
        }
        assert_eq!(count(&registry, &labels), 3, "{shift}");
    }
}

#[test]
fn wrong_bytes_are_not_remembered() {
    let (registry, labels) = asking();
    let blob = format!("/v2/a/blobs/{}", image("b").config_digest());
    registry.fail(&blob, Fault::WrongBytes(b"{}".to_vec()));
    labels.run().status(6).stdout("");
    registry.take();
    assert_eq!(count(&registry, &labels), 2);
    assert_eq!(count(&registry, &labels), 1);
}

#[test]
fn what_one_repository_has_is_not_known_of_another() {
    let (registry, labels) = asking();
    assert_eq!(count(&registry, &labels), 3);
    let blob = format!("/v2/b/manifests/{}", image("b").digest());
    registry.absent(&blob);
    let name = registry.image(&format!("b@{}", image("b").digest()));
    labels.again(["labels", &name]).run().status(3).stdout("");
    assert_eq!(registry.take().len(), 1);
}

#[test]
fn a_cache_that_cannot_be_written_does_no_harm() {
    let (registry, labels) = asking();
    let labels = labels.file("file", "");
    let below_a_file = labels.home().join("file/cache");
    let directories = [below_a_file, PathBuf::from("/proc/docker-registry")];
    for directory in directories {
        let option = format!("--cache-dir={}", directory.display());
        let labels = labels.clone().arg(option);
        for _ in 0..2 {
            assert_eq!(count(&registry, &labels), 3);
        }
        let told = labels.clone().arg("-v").run().status(0).stdout(LABELS);
        let expected = format!(
            "docker-registry: the cache {} cannot be written: ",
            directory.display()
        );
        assert_eq!(
            told.messages().matches(&expected).count(),
            1,
            "{}",
            told.messages()
        );
        registry.take();
    }
}

#[test]
fn the_cache_is_where_it_is_wished() {
    let (registry, labels) = asking();
    let wished = labels.clone().arg("--cache-dir=cache");
    assert_eq!(count(&registry, &wished), 3);
    assert_eq!(labels.files(), ["cache"]);
    let home = labels.clone().env("XDG_CACHE_HOME", "");
    assert_eq!(count(&registry, &home), 3);
    let relative = labels.clone().env("XDG_CACHE_HOME", "relative");
    assert_eq!(count(&registry, &relative), 1);
    assert_eq!(count(&registry, &labels.without_env("XDG_CACHE_HOME")), 1);
}

#[test]
fn processes_share_the_cache_at_the_same_time() {
    let (registry, labels) = asking();
    for _ in 0..4 {
        let running: Vec<_> = (0..8).map(|_| labels.spawn()).collect();
        for process in running {
            process.wait().success(LABELS);
        }
    }
    registry.take();
    assert_eq!(count(&registry, &labels), 1);
    let all = files(&labels);
    assert_eq!(all.len(), 5, "no temporary files: {all:?}");
}

#[test]
fn secrets_are_not_remembered() {
    let tokens = Tokens::new().user("user", "password").private();
    let registry = Registry::builder().tokens(&tokens).start();
    image("b").push_to(&registry, "a", "v1");
    let labels = Tool::new().args(["labels", "-r", "-uuser:password", &registry.image("a:v1")]);
    // A challenge of the last run is no reason to show credentials: it is asked for again.
    for requests in [4, 3] {
        labels.run().success(LABELS);
        let asked = registry.requests();
        assert_eq!(registry.take().len(), requests);
        let sent = asked
            .iter()
            .filter_map(|request| request.header("Authorization"));
        let secrets = sent.filter_map(|value| value.split_once(' '));
        let secrets: Vec<&str> = secrets.map(|(_, secret)| secret).collect();
        assert!(secrets.len() > 1);
        for file in files(&labels) {
            let bytes = fs::read(file).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!secrets.iter().any(|secret| text.contains(secret)));
            assert!(!text.contains("password"));
        }
    }
}

#[test]
fn a_token_for_anybody_is_remembered() {
    let tokens = Tokens::new();
    let registry = Registry::builder().tokens(&tokens).start();
    image("b").push_to(&registry, "a", "v1");
    let labels = Tool::new().args(["labels", "-r", &registry.image("a:v1")]);
    assert_eq!(count(&registry, &labels), 4);
    assert_eq!(count(&registry, &labels), 1);
    tokens.revoke_all();
    // Refused, then as for the first time.
    assert_eq!(count(&registry, &labels), 3);
    assert_eq!(count(&registry, &labels), 1);
}

/// A directory that somebody else chose or has is neither read nor written.
#[cfg(unix)]
#[test]
fn a_directory_that_is_not_ours_is_not_used() {
    use std::os::unix::fs::{chown, symlink};
    let (registry, labels) = asking();
    let at = |name: &str| labels.home().join(name);
    let there = labels.clone().arg("--cache-dir").arg(at("there"));
    assert_eq!(count(&registry, &there), 3);
    symlink("there", at("link")).unwrap();
    let unused = |name: &str, why: &str| {
        let tool = labels.clone().arg("--cache-dir").arg(at(name));
        assert_eq!(count(&registry, &tool), 3, "{name}");
        let told = tool.arg("-v").run().status(0).stdout(LABELS).messages();
        registry.take();
        let directory = at(name);
        let expected = format!(
            "docker-registry: the cache {} cannot be used: {why}\n",
            directory.display()
        );
        assert_eq!(told.matches(&expected).count(), 1, "{told}");
    };
    unused("link", "a link, not a directory");
    fs::write(at("file"), "").unwrap();
    unused("file", "not a directory");
    assert_eq!(count(&registry, &there), 1);
    // So are its shelves.
    fs::rename(at("there/content"), at("content")).unwrap();
    symlink("../content", at("there/content")).unwrap();
    let before = fs::read_dir(at("content")).unwrap().count();
    labels
        .clone()
        .arg("--cache-dir")
        .arg(at("there"))
        .run()
        .success(LABELS);
    assert_eq!(fs::read_dir(at("content")).unwrap().count(), before);
    registry.take();
    fs::remove_file(at("there/content")).unwrap();
    fs::rename(at("content"), at("there/content")).unwrap();
    assert_eq!(count(&registry, &there), 1);
    // Only root can give it away.
    if chown(at("there"), Some(65534), None).is_ok() {
        unused("there", "another user's directory");
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_write_is_not_believed() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
    type Change = fn(&PathBuf);
    let changes: [(&str, Change); 7] = [
        ("writable", |path| {
            fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
        }),
        ("a link", |path| {
            fs::rename(path, path.with_extension("there")).unwrap();
            symlink(path.with_extension("there"), path).unwrap();
        }),
        ("two names", |path| {
            fs::hard_link(path, path.with_extension("second")).unwrap();
        }),
        ("a directory", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir_all(path.join("full")).unwrap();
        }),
        ("a FIFO", |path| {
            fs::remove_file(path).unwrap();
            let made = std::process::Command::new("/usr/bin/mkfifo")
                .arg(path)
                .status();
            assert!(made.unwrap().success());
        }),
        ("too large", |path| {
            let file = fs::File::options().write(true).open(path).unwrap();
            file.set_len(1 << 40).unwrap();
        }),
        // Only root can give it away.
        ("another user's", |path| {
            if chown(path, Some(65534), None).is_err() {
                fs::remove_file(path).unwrap();
            }
        }),
    ];
    for (what, change) in changes {
        let (registry, labels) = asking();
        assert_eq!(count(&registry, &labels), 3);
        let ours = files(&labels);
        ours.iter().for_each(change);
        assert_eq!(count(&registry, &labels), 3, "{what}");
        assert_eq!(count(&registry, &labels), 1, "{what}");
        for file in ours {
            let file = fs::symlink_metadata(file).unwrap();
            assert!(file.is_file(), "{what}");
            assert_eq!(file.mode() & 0o7777, 0o600, "{what}");
        }
    }
}

#[test]
fn what_killed_processes_left_is_swept() {
    let (registry, labels) = asking();
    assert_eq!(count(&registry, &labels), 3);
    let cache = labels.home().join(".cache/docker-registry");
    let left = |shelf: &str, name: &str, age: u64| {
        let path = cache.join(shelf).join(name);
        let file = fs::File::create(&path).unwrap();
        let time = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
        file.set_modified(time).unwrap();
        path
    };
    let old = [
        left("content", ".tmpAbc123", 7200),
        left("tags", ".tmpx", 7200),
    ];
    let young = left("content", ".tmpDef456", 60);
    // So much has been written that it is time to sweep.
    fs::write(cache.join("written"), vec![b'.'; 32 << 10]).unwrap();
    Index::new().image(image("c")).push_to(&registry, "a", "v1");
    labels.run().success("{\"a\":\"c\"}\n");
    assert!(!old.iter().any(|path| path.exists()));
    assert!(young.exists());
    assert!(fs::metadata(cache.join("written")).unwrap().len() < 32 << 10);
    registry.take();
    Index::new().image(image("b")).push_to(&registry, "a", "v1");
    assert_eq!(count(&registry, &labels), 1);
}

/// The count of what was written is no way out of the directory, and nothing waits for it.
#[cfg(unix)]
#[test]
fn the_count_is_ours_too() {
    let (registry, labels) = asking();
    assert_eq!(count(&registry, &labels), 3);
    let written = labels.home().join(".cache/docker-registry/written");
    let precious = labels.home().join("precious");
    fs::write(&precious, vec![b'.'; 64 << 10]).unwrap();
    fs::remove_file(&written).unwrap();
    std::os::unix::fs::symlink(&precious, &written).unwrap();
    let next = |label: &str| {
        Index::new()
            .image(image(label))
            .push_to(&registry, "a", "v1");
        let said = format!("{{\"a\":\"{label}\"}}\n");
        labels
            .clone()
            .arg("-v")
            .run()
            .status(0)
            .stdout(said)
            .messages()
    };
    assert!(!next("c").contains("the cache"));
    assert_eq!(fs::metadata(&precious).unwrap().len(), 64 << 10);
    fs::remove_file(&written).unwrap();
    let made = Tool::program("/usr/bin/mkfifo").arg(&written);
    made.run().success("");
    assert!(!next("d").contains("the cache"));
    assert!(fs::symlink_metadata(&written).unwrap().is_file());
}

/// As a limit of the shell has it, whose signal ends whoever does not expect it.
#[cfg(unix)]
#[test]
fn a_limit_of_file_sizes_costs_no_answer() {
    let (registry, labels) = asking();
    let name = registry.image("a:v1");
    let limited = "ulimit -f 0; exec \"$@\"";
    let program = env!("CARGO_BIN_EXE_docker-registry");
    let args = [
        "-c",
        limited,
        "sh",
        program,
        "labels",
        "-r",
        "--arch=arm64",
        &name,
    ];
    let shell = Tool::program("/bin/sh").args(args);
    shell.run().success(LABELS);
    let told = shell.arg("-v").run().status(0).stdout(LABELS).messages();
    assert!(told.contains("cannot be written: File too large"), "{told}");
    drop(labels);
}
