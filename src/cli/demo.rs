//! A small table for the tests of what derives from it.

use super::*;

pub(super) fn cli() -> Cli {
    Cli {
        name: "demo",
        version: "1.2.3",
        date: "2026-11-01",
        summary: "ask a container registry",
        about: "Asks a registry about images.\n\nNo `docker` is needed.",
        commands: vec![
            Commands {
                title: "Image",
                specs: vec![&LABELS, &VERIFYTOOL],
            },
            Commands {
                title: "Other",
                specs: vec![&DOWNLOADLAYER, &GENERATE, &EXPLAIN],
            },
        ],
        groups: GROUPS,
        frequent: FREQUENT,
        essential: ESSENTIAL,
        chapters: &[
            Chapter {
                title: "Filters",
                text: "  first",
                entries: &[],
            },
            Chapter {
                title: "Images",
                text: ".hidden is \\ no macro.\n\n  demo labels ubuntu\n    'quoted'\n  . one line that is so long that it has   to be folded in the source, but not for the reader\n\nThat is `all of it`, said at such a length that the line has to be folded somewhere: …\n.x",
                entries: &[],
            },
        ],
        environment: &[("DEMO_CREDENTIALS", "As `--user`.")],
        files: &[("~/.docker/config.json", "Stored credentials.")],
        exit_codes: &[(0, "Success."), (2, "Wrong usage.")],
        examples: &[Example {
            command: "demo labels ubuntu -q '.[\"a-b\"]'",
            shows: "Print one label.",
        }],
        recall: Some("__images"),
    }
}

static GROUPS: &[Group] = &[
    Group {
        title: "Output",
        flags: &[&RAW, &JQ, &ARG, &COLOR, &VERBOSE, &HELP, &VERSION],
    },
    Group {
        title: "Registry",
        flags: &[
            &PLATFORM, &USER, &IMAGES, &JOBS, &CACERT, &TIMEOUT, &RETRIES, &MAX_AGE, &CACHE_DIR,
        ],
    },
];

static FREQUENT: &[&Spec] = &[&LABELS, &GENERATE];

static ESSENTIAL: &[&Flag] = &[&RAW, &JQ, &PLATFORM, &HELP];

pub(super) static RAW: Flag = Flag {
    name: "raw",
    short: Some('r'),
    help: "Print the bytes as the registry serves them",
    ..Flag::DEFAULT
};

pub(super) static JQ: Flag = Flag {
    name: "jq",
    short: Some('q'),
    value: Value::Text("FILTER"),
    help: "Run a jq filter over the answer",
    about: "Strings print bare. See `--arg`.",
};

pub(super) static ARG: Flag = Flag {
    name: "arg",
    value: Value::Pair("NAME", "VALUE"),
    help: "Bind $NAME in the filter",
    ..Flag::DEFAULT
};

pub(super) static COLOR: Flag = Flag {
    name: "color",
    value: Value::Choice(&["auto", "always", "never"]),
    help: "When to colour",
    ..Flag::DEFAULT
};

pub(super) static VERBOSE: Flag = Flag {
    name: "verbose",
    short: Some('v'),
    value: Value::Count,
    help: "Show each request; twice, with headers",
    ..Flag::DEFAULT
};

pub(super) static PLATFORM: Flag = Flag {
    name: "platform",
    value: Value::Platform,
    help: "Choose the platform",
    ..Flag::DEFAULT
};

pub(super) static USER: Flag = Flag {
    name: "user",
    short: Some('u'),
    value: Value::Secret("USER:PASSWORD"),
    help: "Log in",
    ..Flag::DEFAULT
};

pub(super) static IMAGES: Flag = Flag {
    name: "images",
    value: Value::Images("FILE"),
    help: "Read the images from a file",
    ..Flag::DEFAULT
};

pub(super) static JOBS: Flag = Flag {
    name: "jobs",
    short: Some('j'),
    value: Value::Number,
    help: "Ask for N images at once",
    ..Flag::DEFAULT
};

pub(super) static CACERT: Flag = Flag {
    name: "cacert",
    value: Value::Path("FILE"),
    help: "Trust these authorities",
    ..Flag::DEFAULT
};

pub(super) static TIMEOUT: Flag = Flag {
    name: "timeout",
    value: Value::Seconds,
    help: "The longest silence",
    ..Flag::DEFAULT
};

pub(super) static RETRIES: Flag = Flag {
    name: "retries",
    value: Value::Number,
    help: "Try again this often",
    ..Flag::DEFAULT
};

pub(super) static MAX_AGE: Flag = Flag {
    name: "max-age",
    value: Value::Duration,
    help: "Allow an older answer",
    ..Flag::DEFAULT
};

pub(super) static CACHE_DIR: Flag = Flag {
    name: "cache-dir",
    value: Value::Directory("DIR"),
    help: "Keep the cache here",
    ..Flag::DEFAULT
};

pub(super) static LAYERS: Flag = Flag {
    name: "layers",
    help: "Check every layer too",
    ..Flag::DEFAULT
};

pub(super) static OUTPUT: Flag = Flag {
    name: "output",
    short: Some('o'),
    value: Value::Path("FILE"),
    help: "Write to FILE, or to stdout if it is -",
    ..Flag::DEFAULT
};

static LABELS: Spec = Spec {
    name: "labels",
    operand: Operand::Images,
    help: "Print the labels of an image",
    about: "The labels of the image's configuration, `{}` if there are none.",
    examples: &[
        Example {
            command: "demo labels ubuntu",
            shows: "Print the labels of the latest Ubuntu.",
        },
        Example {
            command: "demo labels -q .maintainer oci:build",
            shows: "Print one label of an image on disk.",
        },
    ],
    ..Spec::DEFAULT
};

static VERIFYTOOL: Spec = Spec {
    name: "verifytool",
    operand: Operand::Image,
    help: "Recompute the digests of an image",
    flags: &[&LAYERS],
    examples: &[
        Example {
            command: "demo verifytool ubuntu",
            shows: "Show it.",
        },
        Example {
            command: "demo verifytool --layers ubuntu",
            shows: "Show it.",
        },
    ],
    ..Spec::DEFAULT
};

static DOWNLOADLAYER: Spec = Spec {
    name: "downloadlayer",
    operand: Operand::Layer,
    help: "Save one layer of an image",
    flags: &[&OUTPUT],
    examples: &[
        Example {
            command: "demo downloadlayer -o - ubuntu@x | tar t",
            shows: "Show it.",
        },
        Example {
            command: "demo -r downloadlayer ubuntu@x",
            shows: "Show it.",
        },
    ],
    ..Spec::DEFAULT
};

static GENERATE: Spec = Spec {
    name: "generate",
    operand: Operand::Kind(&["man", "bash", "zsh"]),
    help: "Print the man page or completions",
    flags: &[&OUTPUT],
    global: false,
    examples: &[
        Example {
            command: "demo generate man",
            shows: "Show it.",
        },
        Example {
            command: "demo generate zsh -o _demo",
            shows: "Show it.",
        },
    ],
    ..Spec::DEFAULT
};

static EXPLAIN: Spec = Spec {
    name: "help",
    operand: Operand::Command,
    help: "Explain a command",
    global: false,
    examples: &[
        Example {
            command: "demo help",
            shows: "Show it.",
        },
        Example {
            command: "demo help labels",
            shows: "Show it.",
        },
    ],
    ..Spec::DEFAULT
};
