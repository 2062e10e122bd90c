//! The report to read. Its words and columns are manifest-tool's.

use std::fmt::Display;

use super::{Child, Node};
use crate::content::{Descriptor, ManifestKind};
use crate::platform::Platform;
use crate::text::{Color, Text};

pub(super) fn of(name: &str, node: &Node) -> Text {
    let mut report = Report(Text::default());
    match node.document.kind() {
        ManifestKind::Index => report.index(name, node),
        _ => report.image(name, node),
    }
    report.0.without_line_end()
}

struct Report(Text);

impl Report {
    /// A label and its value.
    fn line(&mut self, label: impl Display, color: Color, value: impl Display) {
        self.0.plain(label).colored(color, value).plain('\n');
    }

    fn title(&mut self, label: &str, name: &str, node: &Node) {
        let text = self.0.plain(label).colored(Color::Green, name);
        let media_type = node.document.media_type();
        text.plain(" (Type: ").colored(Color::Green, media_type);
        text.plain(")\n");
    }

    fn image(&mut self, name: &str, node: &Node) {
        let document = &node.document;
        let config = node.config.as_ref();
        let platform = config.and_then(|config| Platform::read(config.json()));
        let platform = platform.unwrap_or_default();
        let layers = layers(node);
        self.title("Name: ", name, node);
        self.line("      Digest: ", Color::Yellow, document.digest());
        self.line("        Size: ", Color::Blue, document.bytes().len());
        self.line("          OS: ", Color::Green, platform.os);
        self.line("        Arch: ", Color::Green, platform.architecture);
        self.line("    # Layers: ", Color::Red, layers.len());
        for (i, layer) in layers.iter().enumerate() {
            self.0.plain("      layer ");
            self.0.colored(Color::Red, format!("{:02}", i + 1));
            self.line(": digest = ", Color::Yellow, &layer.digest);
        }
    }

    fn index(&mut self, name: &str, node: &Node) {
        self.title("Name:   ", name, node);
        self.line("Digest: ", Color::Yellow, node.document.digest());
        let all = node.children.len();
        let attestations = node.children.iter().filter(|(it, _)| is_attestation(it));
        let attestations = attestations.count();
        let images = all - attestations;
        self.0.plain(" * Contains ").colored(Color::Red, all);
        self.0.plain(" manifest references (").colored(Color::Red, images);
        self.0.plain(format!(" image{}, ", plural(images)));
        self.0.colored(Color::Red, attestations);
        self.0.plain(format!(" attestation{}):\n", plural(attestations)));
        self.entries("", node);
    }

    /// The entries of an index in an index are numbered `2.1`.
    fn entries(&mut self, outer: &str, node: &Node) {
        for (i, (entry, child)) in node.children.iter().enumerate() {
            self.entry(&format!("{outer}{}", i + 1), entry, child);
        }
    }

    fn entry(&mut self, number: &str, entry: &Descriptor, child: &Child) {
        let n = format!("[{number}]");
        self.0.plain(format_args!("{n}     Type: "));
        self.0.colored(Color::Green, &entry.media_type);
        if is_attestation(entry) {
            let detail = " (vnd.docker.reference.type=attestation-manifest)";
            self.0.colored(Color::Green, detail);
        }
        self.0.plain('\n');
        self.line(format_args!("{n}   Digest: "), Color::Yellow, &entry.digest);
        self.line(format_args!("{n}   Length: "), Color::Blue, entry.size);
        match child {
            Child::Unknown => {
                let media_type = &entry.media_type;
                let note = format!("Unknown media type for further display: {media_type}\n");
                self.0.plain(note);
            }
            Child::Missing => {
                self.0.plain(format_args!("{n}       >>> The manifest is not there\n\n"));
            }
            Child::Node(index) if index.document.kind() == ManifestKind::Index => {
                self.0.plain('\n');
                self.entries(&format!("{number}."), index);
            }
            Child::Node(_) if is_attestation(entry) => {
                let about = entry.annotation("vnd.docker.reference.digest");
                let label = format!("{n}       >>> Attestation for digest: ");
                self.line(label, Color::Yellow, about.unwrap_or_default());
                self.0.plain('\n');
            }
            Child::Node(image) => {
                let read = |config| Platform::read(config);
                let config = image.config.as_ref().map(|config| config.json());
                let platform = entry.platform.clone().or_else(|| config.and_then(read));
                if let Some(platform) = platform {
                    self.platform(&n, &platform);
                }
                self.layers(&n, &layers(image));
            }
        }
    }

    fn platform(&mut self, n: &str, platform: &Platform) {
        self.0.plain(format_args!("{n} Platform:\n"));
        self.line(format_args!("{n}    -      OS: "), Color::Green, &platform.os);
        if let Some(version) = &platform.os_version {
            self.line(format_args!("{n}    - OS Vers: "), Color::Green, version);
        }
        if !platform.os_features.is_empty() {
            let features = format!("[{}]", platform.os_features.join(" "));
            self.line(format_args!("{n}    - OS Feat: "), Color::Green, features);
        }
        let architecture = &platform.architecture;
        self.line(format_args!("{n}    -    Arch: "), Color::Green, architecture);
        if let Some(variant) = &platform.variant {
            self.line(format_args!("{n}    - Variant: "), Color::Green, variant);
        }
    }

    fn layers(&mut self, n: &str, layers: &[Descriptor]) {
        self.line(format_args!("{n} # Layers: "), Color::Red, layers.len());
        for (i, layer) in layers.iter().enumerate() {
            self.0.plain("     layer ");
            self.0.colored(Color::Red, format!("{:02}", i + 1));
            self.line(": digest = ", Color::Yellow, &layer.digest);
            self.line("                 type = ", Color::Green, &layer.media_type);
        }
        self.0.plain('\n');
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

/// Starts at two, as in manifest-tool.
fn plural(count: usize) -> &'static str {
    if count > 1 { "s" } else { "" }
}
