//! The distribution API's answers to what changes a registry: pushing and deleting.

use super::http::{Request, Response};
use super::store::{Manifest, Oddity, Store, sha256};

impl Store {
    /// The answer to a request that changes something.
    pub(super) fn change(
        &mut self,
        request: &Request,
        name: &str,
        kind: &str,
        last: &str,
    ) -> Response {
        match (request.method.as_str(), kind, last.strip_prefix("uploads/")) {
            ("POST", "blobs", Some("")) => self.start_upload(request, name),
            ("PATCH", "blobs", Some(upload)) => self.append(request, name, upload),
            ("PUT", "blobs", Some(upload)) => self.finish_upload(request, name, upload),
            ("PUT", "manifests", None) => self.put_manifest(request, name, last),
            ("DELETE", "manifests", None) => self.delete_manifest(name, last),
            ("DELETE", "blobs", None) => self.delete_blob(name, last),
            _ => Response::error(405, "UNSUPPORTED", "the operation is unsupported"),
        }
    }

    fn start_upload(&mut self, request: &Request, name: &str) -> Response {
        if let Some(digest) = request.query("digest") {
            return self.keep_blob(name, &digest, request.body.clone());
        }
        if let Some(digest) = request.query("mount") {
            let from = request.query("from").unwrap_or_default();
            let other = self.repositories.get(&from);
            let blob = other.and_then(|other| other.blobs.get(&digest)).cloned();
            if let Some(blob) = blob {
                return self.keep_blob(name, &digest, blob);
            }
        }
        let upload = format!("upload-{}", self.uploads.len() + 1);
        self.uploads.insert(upload.clone(), Vec::new());
        Response::new(202)
            .header("Location", format!("/v2/{name}/blobs/uploads/{upload}"))
            .header("Range", "0-0")
    }

    fn append(&mut self, request: &Request, name: &str, upload: &str) -> Response {
        let Some(bytes) = self.uploads.get_mut(upload) else {
            return Response::error(
                404,
                "BLOB_UPLOAD_UNKNOWN",
                "blob upload unknown to registry",
            );
        };
        bytes.extend(&request.body);
        let range = format!("0-{}", bytes.len().saturating_sub(1));
        Response::new(202)
            .header("Location", format!("/v2/{name}/blobs/uploads/{upload}"))
            .header("Range", range)
    }

    fn finish_upload(&mut self, request: &Request, name: &str, upload: &str) -> Response {
        let Some(mut bytes) = self.uploads.remove(upload) else {
            return Response::error(
                404,
                "BLOB_UPLOAD_UNKNOWN",
                "blob upload unknown to registry",
            );
        };
        bytes.extend(&request.body);
        let digest = request.query("digest").unwrap_or_default();
        self.keep_blob(name, &digest, bytes)
    }

    fn keep_blob(&mut self, name: &str, digest: &str, bytes: Vec<u8>) -> Response {
        if sha256(&bytes) != digest {
            return Response::error(400, "DIGEST_INVALID", "digest did not match content");
        }
        let repository = self.repositories.entry(name.to_owned()).or_default();
        repository.blobs.insert(digest.to_owned(), bytes);
        Response::new(201)
            .header("Location", format!("/v2/{name}/blobs/{digest}"))
            .header("Docker-Content-Digest", digest)
    }

    fn put_manifest(&mut self, request: &Request, name: &str, reference: &str) -> Response {
        let bytes = request.body.clone();
        let digest = sha256(&bytes);
        if reference.contains(':') && reference != digest {
            return Response::error(400, "DIGEST_INVALID", "digest did not match content");
        }
        let Some(media_type) = request.header("Content-Type").map(str::to_owned) else {
            return Response::error(400, "MANIFEST_INVALID", "manifest without Content-Type");
        };
        if let Some(missing) = self.missing(name, &bytes) {
            return Response::error(400, "MANIFEST_BLOB_UNKNOWN", &missing);
        }
        let subject = serde_json::from_slice::<serde_json::Value>(&bytes)
            .ok()
            .and_then(|document| document["subject"]["digest"].as_str().map(str::to_owned));
        let repository = self.repositories.entry(name.to_owned()).or_default();
        let manifest = Manifest { media_type, bytes };
        repository.manifests.insert(digest.clone(), manifest);
        if !reference.contains(':') {
            repository.tags.insert(reference.to_owned(), digest.clone());
        }
        let response = Response::new(201)
            .header("Location", format!("/v2/{name}/manifests/{digest}"))
            .header("Docker-Content-Digest", digest);
        match subject.filter(|_| !self.without_referrers) {
            Some(subject) => response.header("OCI-Subject", subject),
            None => response,
        }
    }

    /// The first thing that a manifest names and the repository does not have.
    fn missing(&self, name: &str, bytes: &[u8]) -> Option<String> {
        let Ok(document) = serde_json::from_slice::<serde_json::Value>(bytes) else {
            return Some("manifest is not JSON".to_owned());
        };
        let repository = self.repositories.get(name);
        let lists = [&document["layers"], &document["manifests"]];
        let items = lists.iter().filter_map(|list| list.as_array()).flatten();
        let mut digests = std::iter::once(&document["config"])
            .chain(items)
            .filter_map(|descriptor| descriptor["digest"].as_str());
        let missing = digests.find(|digest| {
            repository.is_none_or(|repository| {
                !repository.blobs.contains_key(*digest)
                    && !repository.manifests.contains_key(*digest)
            })
        });
        missing.map(|digest| format!("{digest} is unknown to registry"))
    }

    fn delete_manifest(&mut self, name: &str, reference: &str) -> Response {
        let stay = self.is(Oddity::TagsStay) || self.is(Oddity::TagsDangle);
        let Some(repository) = self.repositories.get_mut(name) else {
            return Response::error(404, "NAME_UNKNOWN", "repository name not known to registry");
        };
        let manifest = repository.manifests.remove(reference);
        let was_there = manifest.is_some() || repository.tags.contains_key(reference);
        let goes = |tag: &String, digest: &String| tag == reference || digest == reference;
        let tags = repository.tags.iter();
        let tags = tags.filter(|(tag, digest)| goes(tag, digest) && !(stay && *tag != reference));
        let gone: Vec<String> = tags.map(|(tag, _)| tag.clone()).collect();
        repository.tags.retain(|tag, _| !gone.contains(tag));
        if let Some(manifest) = manifest.filter(|_| stay) {
            repository
                .behind_tags
                .insert(reference.to_owned(), manifest);
        }
        if !was_there {
            return Response::error(404, "MANIFEST_UNKNOWN", "manifest unknown");
        }
        let gone = gone.into_iter().chain([reference.to_owned()]);
        let paths = gone.map(|gone| format!("/v2/{name}/manifests/{gone}"));
        self.deleted.extend(paths);
        Response::new(202)
    }

    fn delete_blob(&mut self, name: &str, digest: &str) -> Response {
        let repository = self.repositories.get_mut(name);
        match repository.and_then(|repository| repository.blobs.remove(digest)) {
            Some(_) => Response::new(202),
            None => Response::error(404, "BLOB_UNKNOWN", "blob unknown to registry"),
        }
    }
}
