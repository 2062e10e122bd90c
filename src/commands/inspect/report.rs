//! The report to read. Its words and columns are manifest-tool's.

use std::fmt::Display;

use super::{Child, Node};
use crate::content::{Descriptor, ManifestKind};
use crate::platform::Platform;
use crate::text::Color::{Blue, Green, Red, Yellow};
use crate::text::{Color, Text};

pub(super) fn of(name: &str, node: &Node) -> Text {
    let mut report = Report { text: Text::default(), number: String::new() };
    match node.document.kind() {
        ManifestKind::Index => report.index(name, node),
        _ => report.image(name, node),
    }
    report.text.without_line_end()
}

struct Report {
    text: Text,
    /// What the lines about an entry of an index start with: `[1]`, for one in an inner index
    /// `[2.1]`.
    number: String,
}

impl Report {
    /// A label and its value.
    fn line(&mut self, label: &str, color: Color, value: impl Display) {
        self.text.plain(&self.number).plain(label).colored(color, value).plain('\n');
    }

    fn title(&mut self, label: &str, name: &str, node: &Node) {
        self.text.plain(label).colored(Green, name);
        self.text.plain(" (Type: ").colored(Green, node.document.media_type()).plain(")\n");
    }

    fn image(&mut self, name: &str, node: &Node) {
        let platform = node.platform().unwrap_or_default();
        self.title("Name: ", name, node);
        self.line("      Digest: ", Yellow, node.document.digest());
        self.line("        Size: ", Blue, node.document.bytes().len());
        self.line("          OS: ", Green, platform.os);
        self.line("        Arch: ", Green, platform.architecture);
        let layers = layers(node);
        self.line("    # Layers: ", Red, layers.len());
        for (i, layer) in layers.iter().enumerate() {
            self.text.plain("      layer ").colored(Red, format_args!("{:02}", i + 1));
            self.text.plain(": digest = ").colored(Yellow, &layer.digest).plain('\n');
        }
    }

    fn index(&mut self, name: &str, node: &Node) {
        self.title("Name:   ", name, node);
        self.line("Digest: ", Yellow, node.document.digest());
        let all = node.children.len();
        let attestations = node.children.iter().filter(|(entry, _)| is_attestation(entry)).count();
        let images = all - attestations;
        // From two on, as in manifest-tool.
        let plural = |count| if count > 1 { "s" } else { "" };
        let text = self.text.plain(" * Contains ").colored(Red, all);
        text.plain(" manifest references (").colored(Red, images);
        text.plain(format_args!(" image{}, ", plural(images))).colored(Red, attestations);
        text.plain(format_args!(" attestation{}):\n", plural(attestations)));
        self.entries("", node);
    }

    fn entries(&mut self, outer: &str, node: &Node) {
        for (i, (entry, child)) in node.children.iter().enumerate() {
            let number = format!("{outer}{}", i + 1);
            self.number = format!("[{number}]");
            self.entry(&number, entry, child);
        }
    }

    fn entry(&mut self, number: &str, entry: &Descriptor, child: &Child) {
        self.text.plain(&self.number).plain("     Type: ").colored(Green, &entry.media_type);
        if is_attestation(entry) {
            self.text.colored(Green, " (vnd.docker.reference.type=attestation-manifest)");
        }
        self.text.plain('\n');
        self.line("   Digest: ", Yellow, &entry.digest);
        self.line("   Length: ", Blue, entry.size);
        match child {
            Child::Unknown => {
                let note = "Unknown media type for further display";
                self.text.plain(format_args!("{note}: {}\n", entry.media_type));
            }
            Child::Missing => {
                self.text.plain(&self.number).plain("       >>> The manifest is not there\n\n");
            }
            Child::Node(index) if index.document.kind() == ManifestKind::Index => {
                self.text.plain('\n');
                self.entries(&format!("{number}."), index);
            }
            Child::Node(_) if is_attestation(entry) => {
                let about = entry.annotation("vnd.docker.reference.digest").unwrap_or_default();
                self.line("       >>> Attestation for digest: ", Yellow, about);
                self.text.plain('\n');
            }
            Child::Node(image) => {
                if let Some(platform) = entry.platform.clone().or_else(|| image.platform()) {
                    self.platform(&platform);
                }
                self.layers(&layers(image));
            }
        }
    }

    fn platform(&mut self, platform: &Platform) {
        self.text.plain(&self.number).plain(" Platform:\n");
        self.line("    -      OS: ", Green, &platform.os);
        if let Some(version) = &platform.os_version {
            self.line("    - OS Vers: ", Green, version);
        }
        if !platform.os_features.is_empty() {
            let features = format!("[{}]", platform.os_features.join(" "));
            self.line("    - OS Feat: ", Green, features);
        }
        let architecture = &platform.architecture;
        self.line("    -    Arch: ", Green, architecture);
        if let Some(variant) = &platform.variant {
            self.line("    - Variant: ", Green, variant);
        }
    }

    fn layers(&mut self, layers: &[Descriptor]) {
        self.line(" # Layers: ", Red, layers.len());
        for (i, layer) in layers.iter().enumerate() {
            self.text.plain("     layer ").colored(Red, format_args!("{:02}", i + 1));
            self.text.plain(": digest = ").colored(Yellow, &layer.digest);
            self.text
                .plain("\n                 type = ")
                .colored(Green, &layer.media_type)
                .plain('\n');
        }
        self.text.plain('\n');
    }
}

/// None for a manifest of another kind.
fn layers(node: &Node) -> Vec<Descriptor> {
    node.document.descriptors("layers").unwrap_or_default()
}

/// Recognized by the same annotation as in manifest-tool.
fn is_attestation(entry: &Descriptor) -> bool {
    entry.annotation("vnd.docker.reference.type") == Some("attestation-manifest")
}
