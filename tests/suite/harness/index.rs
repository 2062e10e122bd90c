//! Indexes: manifest lists of Docker's kind, or the OCI's.

use serde_json::{Value, json};

use super::image::{Destination, Image, descriptor, merge, platform_value, pretty};
use super::store::sha256;

const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An index of images: a Docker manifest list unless `oci()` is said.
#[derive(Clone)]
pub struct Index {
    entries: Vec<Entry>,
    oci: bool,
    media_type_in_body: bool,
    extra: Value,
}

#[derive(Clone)]
struct Entry {
    content: Content,
    platform: Option<Value>,
    annotations: Option<Value>,
}

#[derive(Clone)]
enum Content {
    Image(Box<Image>),
    Index(Box<Index>),
}

impl Index {
    pub fn new() -> Index {
        Index {
            entries: Vec::new(),
            oci: false,
            media_type_in_body: true,
            extra: json!({}),
        }
    }

    /// The image under its own platform.
    pub fn image(self, image: Image) -> Index {
        let platform = Some(image.platform.clone());
        self.entry(Content::Image(Box::new(image)), platform, None)
    }

    /// The image under a platform that its configuration need not know, or none.
    pub fn image_as(self, image: Image, platform: Option<&str>) -> Index {
        let platform = platform.map(platform_value);
        self.entry(Content::Image(Box::new(image)), platform, None)
    }

    /// An entry with annotations, such as BuildKit's about another entry.
    pub fn annotated(self, image: Image, annotations: Value) -> Index {
        let platform = Some(image.platform.clone());
        self.entry(Content::Image(Box::new(image)), platform, Some(annotations))
    }

    /// BuildKit's entry about the last image.
    pub fn attestation(self) -> Index {
        let subject = self.entries.last().map(|entry| entry.content.digest());
        let statement = json!({"_type": "https://in-toto.io/Statement/v0.1", "subject": []});
        let image = Image::new("unknown/unknown").oci();
        let bytes = statement.to_string().into_bytes();
        let diff_id = sha256(&bytes);
        let image = image
            .raw_layer(bytes, &diff_id, "attestation")
            .layer_type("application/vnd.in-toto+json");
        let annotations = json!({
            "vnd.docker.reference.digest": subject.expect("an image to attest"),
            "vnd.docker.reference.type": "attestation-manifest",
        });
        let platform = Some(image.platform.clone());
        self.entry(Content::Image(Box::new(image)), platform, Some(annotations))
    }

    /// An index within the index.
    pub fn index(self, index: Index) -> Index {
        self.entry(Content::Index(Box::new(index)), None, None)
    }

    fn entry(
        mut self,
        content: Content,
        platform: Option<Value>,
        annotations: Option<Value>,
    ) -> Index {
        self.entries.push(Entry {
            content,
            platform,
            annotations,
        });
        self
    }

    pub fn oci(mut self) -> Index {
        self.oci = true;
        self
    }

    pub fn without_media_type(mut self) -> Index {
        self.media_type_in_body = false;
        self
    }

    /// Sets a field of the index: `annotations`, `subject` …
    pub fn with(mut self, field: &str, value: Value) -> Index {
        self.extra[field] = value;
        self
    }

    pub fn media_type(&self) -> &'static str {
        if self.oci { OCI_INDEX } else { DOCKER_LIST }
    }

    /// The index as it is served: indented by two.
    pub fn bytes(&self) -> Vec<u8> {
        let mut index = json!({"schemaVersion": 2});
        if self.media_type_in_body {
            index["mediaType"] = json!(self.media_type());
        }
        let manifests: Vec<Value> = self.entries.iter().map(Entry::descriptor).collect();
        index["manifests"] = json!(manifests);
        merge(&mut index, &self.extra);
        pretty(&index)
    }

    pub fn digest(&self) -> String {
        sha256(self.bytes())
    }

    /// Puts everything there; gives the index' digest.
    pub fn push_to(&self, there: &impl Destination, repository: &str, tag: &str) -> String {
        self.push(there, repository, Some(tag))
    }

    fn push(&self, there: &impl Destination, repository: &str, tag: Option<&str>) -> String {
        for entry in &self.entries {
            match &entry.content {
                Content::Image(image) => image.push(there, repository, None),
                Content::Index(index) => index.push(there, repository, None),
            };
        }
        there.put_manifest(repository, tag, self.media_type(), &self.bytes())
    }
}

impl Entry {
    fn descriptor(&self) -> Value {
        let mut descriptor = match &self.content {
            Content::Image(image) => descriptor(image.media_type(), &image.manifest()),
            Content::Index(index) => descriptor(index.media_type(), &index.bytes()),
        };
        if let Some(annotations) = &self.annotations {
            descriptor["annotations"] = annotations.clone();
        }
        if let Some(platform) = &self.platform {
            descriptor["platform"] = platform.clone();
        }
        descriptor
    }
}

impl Content {
    fn digest(&self) -> String {
        match self {
            Content::Image(image) => image.digest(),
            Content::Index(index) => index.digest(),
        }
    }
}
