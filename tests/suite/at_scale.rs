//! More images than one machine can ask for: what docs/at-scale.md says, done with Apache Spark, the script of a
//! Kubernetes job and GNU parallel. Each image gets its line once, whatever fails on the way.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::ci::documents;
use crate::harness::{Image, Real, Registry, Running, Tool, installed};

const PROGRAM: &str = env!("CARGO_BIN_EXE_docker-registry");

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn at_scale(name: &str) -> PathBuf {
    root().join("docs/at-scale").join(name)
}

/// A registry with images, and a list that names others too.
struct Crowd {
    registry: Registry,
    list: String,
    /// What is to be answered, and which images have no answer; both sorted.
    answers: Vec<String>,
    missing: Vec<String>,
}

impl Crowd {
    fn new(size: usize) -> Crowd {
        let registry = Registry::start();
        let (mut list, mut answers, mut missing) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..size {
            let tag = if n % 50 == 7 {
                format!("gone{n}")
            } else {
                format!("v{n}")
            };
            let name = registry.image(&format!("a:{tag}"));
            if tag.starts_with('v') {
                let image = Image::new("linux/amd64").label("n", &n.to_string());
                image.push_to(&registry, "a", &tag);
                answers.push(json!({"image": name, "labels": {"n": n.to_string()}}).to_string());
            } else {
                registry.absent(&format!("/v2/a/manifests/{tag}"));
                missing.push(name.clone());
            }
            list.push(name);
        }
        answers.sort();
        missing.sort();
        Crowd {
            registry,
            list: list.join("\n") + "\n",
            answers,
            missing,
        }
    }

    /// The list in files of ten lines, `shares/000` and so on.
    fn shares(&self, tool: Tool) -> Tool {
        let split = "mkdir shares && split --lines=10 --numeric-suffixes --suffix-length=3 images.txt shares/";
        let tool = tool.file("work/images.txt", &self.list);
        shell(&tool, split);
        tool
    }

    /// What docs/at-scale.md finds in the answers to shares.
    #[track_caller]
    fn are_answered(&self, tool: &Tool) {
        let answers = shell(tool, "sort shares/*.answers");
        assert!(
            answers.lines().eq(self.answers.iter().map(String::as_str)),
            "{answers}"
        );
        let page = text("docs/at-scale.md");
        let (_, command) = page
            .split_once("cat shares/*.answers >")
            .expect("a command");
        let command = format!(
            "cat shares/*.answers >{}",
            command.split("```").next().unwrap()
        );
        shell(tool, &command);
        let missing = shell(tool, "cat unanswered.txt");
        assert!(
            missing.lines().eq(self.missing.iter().map(String::as_str)),
            "{missing}"
        );
    }
}

fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// What bash prints in the directory where the tool runs.
#[track_caller]
fn shell(tool: &Tool, script: &str) -> String {
    let cd = format!("cd '{}'\n{script}", tool.work().display());
    let output = Tool::program("/bin/bash")
        .args(["-euo", "pipefail", "-c", &cd])
        .run();
    output.status(0).stderr("").text().to_owned()
}

/// The lines of all parts that Spark saved in a directory, sorted.
fn saved(directory: &Path) -> Vec<String> {
    assert!(
        directory.join("_SUCCESS").exists(),
        "{}",
        directory.display()
    );
    let parts = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let parts = parts.filter(|path| {
        path.file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("part-")
    });
    let lines = parts.flat_map(|part| {
        let text = fs::read_to_string(part).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}

/// The process that is Spark's executor with this number, among those that the test started.
fn executor(started: &Running, number: usize) -> Option<i32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    ids.find(|id| {
        let read =
            |name: &str| fs::read_to_string(format!("/proc/{id}/{name}")).unwrap_or_default();
        let stat = read("stat");
        let group = stat
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.split(' ').nth(2));
        group == Some(&*started.id().to_string())
            && read("cmdline").contains(&format!("\0--executor-id\0{number}\0"))
    })
}

/// Two executors on this machine, with compilers that are soon done.
const CLUSTER: &str = "\
spark.master local-cluster[2,1,512]
spark.executor.memory 512m
spark.ui.enabled false
spark.driver.host 127.0.0.1
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.executor.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
";

#[test]
fn spark_answers_for_each_image_once_though_an_executor_is_killed() {
    let submit = root().join("target/pyspark/bin/spark-submit");
    let has_java = installed("/usr/bin/java", "default-jre-headless");
    if !has_java || !installed(submit.to_str().unwrap(), "none; tests/run gets it") {
        return;
    }
    let crowd = Crowd::new(2000);
    // It leaves the others their time.
    let spark = Tool::program("/usr/bin/nice")
        .args(["-n", "19"])
        .arg(&submit)
        .limit(Duration::from_secs(900));
    // A cluster writes below Spark's home.
    let home = spark.home().join("spark");
    fs::create_dir(&home).unwrap();
    let lib = fs::read_dir(root().join("target/pyspark/lib"))
        .unwrap()
        .flatten();
    let package = lib
        .map(|entry| entry.path().join("site-packages/pyspark"))
        .find(|path| path.exists());
    for entry in fs::read_dir(package.expect("PySpark")).unwrap().flatten() {
        symlink(entry.path(), home.join(entry.file_name())).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", submit.parent().unwrap().display());
    let spark = spark
        .env("SPARK_HOME", &home)
        .env("SPARK_LOCAL_IP", "127.0.0.1")
        .env("SPARK_LOCAL_HOSTNAME", "localhost")
        .env("PATH", path)
        .file("work/images.txt", &crowd.list);
    symlink(PROGRAM, spark.work().join("docker-registry")).unwrap();
    fs::create_dir(home.join("conf")).unwrap();
    fs::write(home.join("conf/spark-defaults.conf"), CLUSTER).unwrap();
    let spark = spark
        .args(["--files", "docker-registry"])
        .arg(at_scale("spark.py"))
        .args(["images.txt", "answers", "unanswered", "8"]);
    let running = spark.spawn();
    let deadline = Instant::now() + Duration::from_secs(600);
    while crowd.registry.requests().len() < 500 {
        assert!(Instant::now() < deadline, "{}", running.wait().messages());
        std::thread::sleep(Duration::from_millis(20));
    }
    let victim = executor(&running, 0)
        .or_else(|| executor(&running, 1))
        .expect("an executor");
    // SAFETY: kill has no memory to violate; the process is one that this test started.
    unsafe { libc::kill(victim, libc::SIGKILL) };
    let output = running.wait().status(0).stdout("");
    assert!(
        output.messages().contains(" Lost executor "),
        "{}",
        output.messages()
    );
    assert_eq!(saved(&spark.work().join("answers")), crowd.answers);
    assert_eq!(saved(&spark.work().join("unanswered")), crowd.missing);
}

/// A pod of the job: the script of its container.
fn pod(shares: &Tool, index: usize, attempt: usize) -> Tool {
    let job = &documents(&text("docs/at-scale/kubernetes.yaml"))[0];
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    let command: Vec<&str> = container["command"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let pod = shares
        .again(&command[1..])
        .env("JOB_COMPLETION_INDEX", index.to_string());
    pod.env("HOSTNAME", format!("docker-registry-{index}-{attempt}"))
}

#[test]
fn a_kubernetes_job_answers_for_each_image_once_though_a_pod_fails() {
    let crowd = Crowd::new(100);
    let shares = crowd.shares(Tool::program("/bin/sh"));
    symlink(PROGRAM, shares.work().join("docker-registry")).unwrap();
    for index in 0..10 {
        if index == 3 {
            // A registry that is away for a while, after some answers.
            crowd.registry.fail("/v2/a/manifests/v35", 503).times(4);
            let failed = pod(&shares, index, 0).run();
            assert_eq!(failed.code, Some(1), "{}", failed.messages());
            assert!(!shares.work().join("shares/003.answers").exists());
            fs::remove_file(shares.work().join("shares/003.docker-registry-3-0")).unwrap();
        }
        pod(&shares, index, 1).run().status(0).stdout("");
    }
    crowd.are_answered(&shares);
    let job = &documents(&text("docs/at-scale/kubernetes.yaml"))[0];
    assert_eq!(job["spec"]["completionMode"], "Indexed");
}

/// What stands for a login on another machine: a directory for each.
const SSH: &str = r#"
while :; do
    case $1 in -l | -o | -p) shift 2 ;; -*) shift ;; *) break ;; esac
done
machine=${HOME%/machines/*}/machines/$1
shift
[ "$1" != -- ] || shift
mkdir -p "$machine"
cd "$machine"
HOME=$machine SHELL=/bin/sh exec sh -c "$*""#;

#[test]
fn gnu_parallel_answers_for_each_image_once_though_a_share_fails() {
    let needed = ["parallel", "rsync"].map(|name| installed(&format!("/usr/bin/{name}"), name));
    if needed.contains(&false) {
        return;
    }
    let crowd = Crowd::new(100);
    let parallel = Tool::program(at_scale("parallel.sh"))
        .script("ssh", SSH)
        .limit(Duration::from_secs(120));
    let parallel = crowd.shares(parallel.file("work/hosts", "one.example.com\ntwo.example.com\n"));
    let shares: Vec<String> = (0..10).map(|n| format!("shares/{n:03}")).collect();
    let parallel = parallel.arg("hosts").args(shares);
    // As long as there is a file broken, a share cannot be asked for.
    let broken = parallel.home().join("broken");
    let program = format!(
        "#!/bin/sh\ncase $* in *shares/004*) [ ! -e {} ] || exit 5 ;; esac\nexec {PROGRAM} \"$@\"\n",
        broken.display()
    );
    let parallel = parallel
        .file("work/docker-registry", program)
        .file("broken", "");
    shell(&parallel, "chmod 755 docker-registry");
    let failed = parallel.run();
    assert_eq!(failed.code, Some(1), "{}", failed.messages());
    let asked = crowd.registry.take().len();
    assert!(asked >= 170, "{asked}");
    fs::remove_file(broken).unwrap();
    let output = parallel.run();
    assert_eq!(output.code, Some(0), "{}", output.messages());
    // What had been answered was not asked for again.
    let again = crowd.registry.take().len();
    assert!(again <= 20, "{again}");
    crowd.are_answered(&parallel);
    let machines = fs::read_dir(parallel.home().join("machines")).unwrap();
    let left: BTreeMap<_, _> = machines
        .flatten()
        .map(|entry| {
            (
                entry.file_name(),
                fs::read_dir(entry.path()).unwrap().count(),
            )
        })
        .collect();
    assert_eq!(left.values().sum::<usize>(), 0, "{left:?}");
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_pull_through_cache_asks_again_for_tags_alone() {
    let crowd = Crowd::new(7);
    let Some(cache) = Real::cache(&crowd.registry) else {
        return;
    };
    // The registry itself is never asked: there is none of that name.
    let images = crowd
        .list
        .replace(&crowd.registry.host(), "registry.example.com");
    let mirror = format!("--mirror=registry.example.com=http://{}", cache.host());
    let tool = Tool::new()
        .args(["labels", "--no-cache", "--images", "-"])
        .env("DOCKER_REGISTRY_OPTIONS", mirror)
        .stdin(images);
    // Of a registry that gives no challenge it asks each time whether there is one.
    let asked = || {
        let requests = crowd.registry.take();
        let requests = requests.into_iter().filter(|request| request != "GET /v2/");
        requests.collect::<Vec<String>>()
    };
    let first = tool.run().status(0).stderr("");
    let documents = asked()
        .iter()
        .filter(|request| request.starts_with("GET "))
        .count();
    assert!(documents >= 2 * 7, "{documents}");
    // It keeps what went through when it has served it.
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        tool.run().success(first.text());
        let asked = asked();
        if asked
            .iter()
            .all(|request| request.starts_with("HEAD /v2/a/manifests/v"))
        {
            assert_eq!(asked.len(), 7, "{asked:?}");
            break;
        }
        assert!(Instant::now() < deadline, "{asked:?}");
    }
}
