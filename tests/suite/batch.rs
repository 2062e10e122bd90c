//! Many images in one run: side by side, in order, and one failure is not the others'.

use serde_json::json;

use crate::harness::{Fault, Image, NOBODY, Registry, Tool};

/// A registry with the tags `v0`, `v1` … of `a`, and their images.
fn filled(count: usize) -> (Registry, Vec<Image>) {
    let registry = Registry::start();
    let image = |i: usize| Image::new("linux/amd64").label("n", &i.to_string());
    let images: Vec<Image> = (0..count).map(image).collect();
    for (i, image) in images.iter().enumerate() {
        image.push_to(&registry, "a", &format!("v{i}"));
    }
    (registry, images)
}

fn names(registry: &Registry, count: usize) -> Vec<String> {
    let name = |i| registry.image(&format!("a:v{i}"));
    (0..count).map(name).collect()
}

/// The line that answers `command` about an image.
fn line(command: &str, image: &str, answer: impl Into<serde_json::Value>) -> String {
    format!("{}\n", json!({"image": image, command: answer.into()}))
}

#[test]
fn each_answer_is_a_line_that_names_its_image() {
    let (registry, images) = filled(2);
    let names = names(&registry, 2);
    let tool = Tool::new();
    let labels = |i: usize| line("labels", &names[i], json!({"n": i.to_string()}));
    let digest = |i: usize| line("digest", &names[i], images[i].digest());
    let tags = |i: usize| line("tags", &names[i], json!(["v0", "v1"]));
    let config = |i: usize| {
        let config: serde_json::Value = serde_json::from_slice(&images[i].config()).unwrap();
        line("config", &names[i], config)
    };
    for (command, line) in [
        ("labels", &labels as &dyn Fn(usize) -> String),
        ("digest", &digest),
        ("tags", &tags),
        ("config", &config),
    ] {
        for option in ["-j8", "-r", "--json"] {
            let asked = tool.again([command, option]).args(&names);
            asked.run().success(line(0) + &line(1));
        }
        let twice = tool.again([command, &names[1], &names[1]]);
        twice.run().success(line(1) + &line(1));
    }
}

#[test]
fn all_platforms_of_several_images_are_lines_too() {
    let (registry, images) = filled(2);
    let names = names(&registry, 2);
    let line = |i: usize| {
        let answer = json!({"linux/amd64": images[i].digest()});
        line("digest", &names[i], answer)
    };
    let asked = Tool::new().args(["digest", "--platform", "all"]);
    asked.args(&names).run().success(line(0) + &line(1));
}

#[test]
fn images_are_read_from_a_file_or_from_stdin() {
    let (registry, images) = filled(3);
    let names = names(&registry, 3);
    let list = format!(
        "# all of them\n\n  {}  # the first\r\n\t{}\n{}",
        names[0], names[1], names[2]
    );
    let lines = |which: &[usize]| -> String {
        let line = |i: &usize| line("digest", &names[*i], images[*i].digest());
        which.iter().map(line).collect()
    };
    let tool = Tool::new().file("work/images", &list).stdin(list);
    for (args, which) in [
        (["--images", "images"].as_slice(), [0, 1, 2].as_slice()),
        (&["--images", "-"], &[0, 1, 2]),
        (&["--images=images", &names[2]], &[2, 0, 1, 2]),
    ] {
        let asked = tool.again(["digest"]).args(args);
        asked.run().success(lines(which));
    }
    let one = tool.clone().stdin(names[0].clone());
    let one = one.again(["digest", "--images", "-"]).run();
    one.success(lines(&[0]));
    let none = tool.clone().stdin("# nothing\n");
    none.again(["digest", "--images", "-"]).run().success("");
    let missing = tool.again(["digest", "--images", "missing"]).run();
    let expected = "docker-registry: missing: no such file or directory\n";
    missing.fails(1, expected);
}

/// All but the first, which finds out what the registry wants, and whose answer the others await.
#[test]
fn images_are_asked_for_side_by_side() {
    let (registry, images) = filled(5);
    let names = names(&registry, 5);
    let announced = registry.fail("/v2/a/manifests/*", Fault::Together(4));
    announced.after(1).times(4);
    let lines = (0..5).map(|i| line("digest", &names[i], images[i].digest()));
    let asked = Tool::new().args(["digest", "-j", "4"]).args(&names);
    asked.run().success(lines.collect::<String>());
    assert_eq!(registry.most_at_once(), 4);
}

#[test]
fn no_more_are_asked_for_at_a_time_than_allowed() {
    let (registry, _) = filled(9);
    let announced = registry.fail("/v2/a/manifests/*", Fault::Together(2));
    announced.after(1).times(2);
    let asked = Tool::new().args(["digest", "-j2"]);
    let output = asked.args(names(&registry, 9)).run().status(0);
    assert_eq!(output.text().lines().count(), 9);
    assert_eq!(registry.most_at_once(), 2);
    assert_eq!(registry.connections(), 2);
}

#[test]
fn one_at_a_time_is_asked_for_in_order() {
    let (registry, _) = filled(9);
    let asked = Tool::new().args(["digest", "-j1"]);
    let output = asked.args(names(&registry, 9)).run().status(0);
    assert_eq!(output.text().lines().count(), 9);
    assert_eq!(registry.most_at_once(), 1);
    assert_eq!(registry.connections(), 1);
    let expected = (0..9).map(|i| format!("GET /v2/a/manifests/v{i}"));
    assert_eq!(registry.take(), expected.collect::<Vec<_>>());
}

#[test]
fn answers_come_in_the_order_of_the_images() {
    let (registry, images) = filled(5);
    let names = names(&registry, 5);
    // One is answered when the last is asked for.
    registry.fail("/v2/a/manifests/v2", Fault::Together(2));
    registry.fail("/v2/a/manifests/v4", Fault::Together(2));
    let lines = (0..5).map(|i| line("digest", &names[i], images[i].digest()));
    let asked = Tool::new().args(["digest", "-j2"]).args(&names);
    asked.run().success(lines.collect::<String>());
    assert_eq!(registry.most_at_once(), 2);
}

#[test]
fn one_failure_is_not_the_others() {
    let (registry, images) = filled(3);
    let names = names(&registry, 3);
    registry.fail("/v2/a/manifests/v1", 403);
    registry.absent("/v2/a/manifests/none");
    let missing = registry.image("a:none");
    let asked = Tool::new().arg("digest");
    let output = asked.args(&names).arg(&missing).run();
    let answered = [0, 2].map(|i| line("digest", &names[i], images[i].digest()));
    let messages = format!(
        "docker-registry: {}: manifest v1: access forbidden\n\
         docker-registry: {missing}: manifest none: not found (manifest unknown)\n\
         hint: the command 'tags' lists the tags that there are\n",
        names[1]
    );
    let output = output.status(4).stdout(answered.concat());
    output.stderr(messages);
}

#[test]
fn the_exit_code_is_the_first_failures() {
    let (registry, _) = filled(1);
    let name = registry.image("a:v0");
    registry.absent("/v2/a/manifests/none");
    let (missing, nobody) = (registry.image("a:none"), format!("{NOBODY}/a"));
    let tool = Tool::new().args(["digest", "--retries=0"]);
    for (images, code) in [
        ([&name, &missing, &nobody], 3),
        ([&nobody, &name, &missing], 5),
        ([&name, &nobody, &missing], 5),
    ] {
        let output = tool.clone().args(images).run().status(code);
        assert_eq!(output.text().lines().count(), 1);
    }
    let no = Tool::new().args(["labels", "-eq", "null", &name, &missing]);
    let output = no.run().status(3);
    assert_eq!(output.text(), "null\n");
}

#[test]
fn a_malformed_operand_is_found_before_any_request() {
    let (registry, _) = filled(1);
    let name = registry.image("a:v0");
    let asked = Tool::new().args(["digest", &name, "a:b:c", &name]);
    let output = asked.run().status(2).stdout("");
    assert!(
        output
            .messages()
            .starts_with("docker-registry: image 'a:b:c': ")
    );
    assert_eq!(registry.accepted(), 0);
}

#[test]
fn a_malformed_line_is_one_failure_of_many() {
    let (registry, images) = filled(1);
    let name = registry.image("a:v0");
    let list = format!("{name}\nUpper\n{name}\n");
    let asked = Tool::new().args(["digest", "--images", "-"]).stdin(list);
    let answer = line("digest", &name, images[0].digest());
    let expected =
        "docker-registry: image 'Upper': repository 'Upper': the name must be lower case\n";
    let output = asked.run().status(2).stdout(answer.repeat(2));
    output.stderr(expected);
}

#[test]
fn jobs_are_a_number_from_1() {
    for (jobs, why) in [
        ("0", "--jobs wants a number from 1, not '0'"),
        ("x", "--jobs wants a number, not 'x'"),
    ] {
        let asked = Tool::new().args(["digest", "--jobs", jobs, "a"]);
        asked.run().fails(2, format!("docker-registry: {why}\n"));
    }
}

/// An image is answered when it is read, not when its list has ended.
#[test]
#[cfg(unix)]
fn answers_come_while_images_are_still_read() {
    let (registry, images) = filled(2);
    let names = names(&registry, 2);
    let script = r#"
        mkfifo in out
        "$0" digest --images - <in >out &
        exec 3>in 4<out
        echo "$1" >&3
        read -r first <&4
        echo "$first, then"
        echo "$2" >&3
        exec 3>&-
        cat <&4
        wait $!
    "#;
    let program = env!("CARGO_BIN_EXE_docker-registry");
    let shell = Tool::program("/bin/sh").args(["-c", script, program]);
    let lines = [0, 1].map(|i| line("digest", &names[i], images[i].digest()));
    let first = lines[0].trim_end();
    let asked = shell.args(&names).run();
    asked.success(format!("{first}, then\n{}", lines[1]));
}

#[test]
fn a_command_about_one_image_takes_no_list() {
    let digest = format!("a@sha256:{}", "0".repeat(64));
    let asked = Tool::new().args(["downloadlayer", "--images", "-", &digest]);
    let why = "--images is not for 'downloadlayer', which wants one layer, IMAGE@DIGEST";
    asked.run().fails(2, format!("docker-registry: {why}\n"));
}

/// With all its tries; for its other images it is not asked again.
#[test]
fn a_host_that_is_not_there_is_asked_for_once() {
    let (registry, images) = filled(1);
    let name = registry.image("a:v0");
    let (other, dead) = (format!("{NOBODY}/b"), format!("{NOBODY}/a"));
    for jobs in ["-j1", "-j8"] {
        let asked = Tool::new().args(["digest", "-v", jobs, &dead, &other, &name, &dead]);
        let output = asked.run().status(5);
        let answer = line("digest", &name, images[0].digest());
        assert_eq!(output.text(), answer);
        let count = |start: &str| {
            let messages = output.messages();
            let lines = messages.lines();
            lines.filter(|line| line.starts_with(start)).count()
        };
        assert_eq!(count(&format!("GET http://{NOBODY}/")), 0);
        assert_eq!(
            count(&format!("GET https://{NOBODY}/")),
            4,
            "{}",
            output.messages()
        );
        for (image, times) in [(&dead, 2), (&other, 1)] {
            let why = format!("manifest latest: {NOBODY}: connection refused");
            assert_eq!(count(&format!("docker-registry: {image}: {why}")), times);
        }
    }
}
