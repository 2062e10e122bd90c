//! Everything ends, in bounded time and with bounded means, whatever a registry or a list says.

use serde_json::{Value, json};

use crate::harness::{Image, Index, Registry, Tool, sha256};

#[test]
fn a_directory_is_no_list_of_images() {
    let asked = Tool::new().args(["digest", "--images", "."]);
    let message = "docker-registry: --images: is a directory\n";
    asked.run().fails(1, message);
}

/// What is not text is one failure, and the lines behind it count.
#[test]
fn a_line_that_is_no_text_does_not_end_the_list() {
    let registry = Registry::start();
    Image::new("linux/amd64").push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    let list = [b"\xff\n", name.as_bytes(), b"\n"].concat();
    let asked = Tool::new().args(["id", "--images", "-"]).stdin(list);
    let output = asked.run().status(1);
    assert_eq!(output.text().lines().count(), 1);
    output.stderr("docker-registry: --images: stream did not contain valid UTF-8\n");
}

#[test]
fn images_of_20_000_layers_are_compared_at_once() {
    let registry = Registry::start();
    let layers = |of: usize| -> Value {
        let digest = |i: usize| sha256(format!("{}", i + of).as_bytes());
        (0..20_000)
            .map(|i| json!({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest(i), "size": 1}))
            .collect()
    };
    for (tag, of) in [("1", 0), ("2", 10_000)] {
        let image = Image::new("linux/amd64").in_manifest("layers", layers(of));
        image.push_to(&registry, "a", tag);
    }
    let lengths = "[.layers | .shared, .removed, .added | length]";
    let asked = Tool::new().args(["diff", "-r", "-q", lengths]);
    let asked = asked.args([registry.image("a:1"), registry.image("a:2")]);
    let output = asked.run();
    assert_eq!(output.text(), "[10000,10000,10000]\n");
}

#[test]
fn a_hint_names_ten_platforms_and_counts_the_others() {
    let registry = Registry::start();
    let image = |i: usize| Image::new(&format!("linux/arch{i}"));
    let index = (0..12).fold(Index::new(), |index, i| index.image(image(i)));
    index.push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    let asked = Tool::new().args(["digest", "--platform", "linux/none", &name]);
    let ten: Vec<String> = (0..10).map(|i| format!("linux/arch{i}")).collect();
    let hint = format!("hint: there is {} and 2 more\n", ten.join(", "));
    asked.run().fails(
        3,
        format!("docker-registry: {name}: no image for linux/none\n{hint}"),
    );
}
