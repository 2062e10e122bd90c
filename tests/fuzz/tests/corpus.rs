//! What once found something finds nothing any more.

use std::fs;
use std::path::Path;

#[test]
fn the_corpus_finds_nothing() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut names: Vec<_> = fs::read_dir(&corpus)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let known: Vec<_> = fuzz::TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, known, "every target has a corpus");
    for (name, target) in fuzz::TARGETS {
        for entry in fs::read_dir(corpus.join(name)).unwrap() {
            let path = entry.unwrap().path();
            // The last name that was printed is whose fault it is.
            println!("{}", path.display());
            target(&fs::read(path).unwrap());
        }
    }
}
