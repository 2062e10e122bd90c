//! Ask a container registry: what tags, which platforms, which digest, what labels.
//!
//! One idea carries the house: a command is a question about one image on one platform; everything
//! around the question is shared. Which images, which platforms, side by side or not, remembered or
//! not, filtered or raw: no command knows.
//!
//! ```text
//! main            arguments → exit code
//! serve/          the same questions over HTTP: pages for people, JSON for programs
//!   http/         connections: requests read, responses written, limits of both
//!   lambda        the same as a function of AWS Lambda
//!   metrics       what was answered, counted and told
//! driver/         images × platforms → answers, printed in order or given to `serve`
//! commands/       a file for each command: its row of the table and one function
//! hooks/          what docker asks of its plugins, and shells for completions
//! context/        global options and environment as values; the only reader of the environment
//! manual.txt      what the man page says beyond commands and options
//! assembly/       lists of images put together and pushed, as manifest-tool does
//! attestation/    SBOMs and provenance, found and unwrapped; signatures, checked
//! filesystem/     what lies in the layers of an image, laid over one another
//! download/       a layer on its way to a file: resumed, verified, unpacked
//! progress        the bar on a terminal while layers arrive or tags are looked at
//! cli/            the command line as one table: parsing, help, man pages, completions
//! answer          a document, a JSON value, or a text with its JSON form
//! query/          jq: compiled before any request, run over answers; the only user of jaq
//! output/         standard output: indented, coloured, safe on a terminal
//! image/          index → platform → manifest → configuration, each fetched when first asked for
//! readahead       a stream read on a thread of its own, blocks ahead of whoever hashes it
//! source/         where images come from, behind one trait
//!   sources       opens them: who is asked for an image, and as what
//!   cache/        any source, remembering on disk what has a digest
//!   layout/       a directory or a tar in OCI layout, and what `docker save` writes
//!   mirrors/      who is asked before a registry, as podman, containerd and docker are told
//!   registry/     the distribution API: ask, answer the challenge, ask again
//! state           what has been told of images, for the next run
//! compression     gzip and zstd, told by their first bytes
//! header_limit    tars that others made, read within limits
//! terminal        a question to whoever sits there; standard input
//! machine         the heap, open files, the terminal's width, a reader of the output
//! parallel        work side by side, results in order
//! file/           files replaced as a whole, and opened only where they are ours
//! reference/  platform  content/  digest  json/  names  memory  encoding  text  secret  error
//! ```
//!
//! Modules use only what stands below them; `tests/suite/architecture.rs` holds them to it.
//!
//! `docker-registry labels ubuntu`, traced: [`cli::parse`] finds the row and the options;
//! [`context::Context::new`] turns options and environment into values; [`driver::run`] makes an
//! [`image::Image`] of the operand and calls the command's function, which asks for the
//! configuration; the image asks its source for the index, chooses the platform, asks for the
//! manifest and the configuration; the source is a registry inside a cache; the driver prints the
//! answer as [`output::Output`] lays it out.

mod answer;
mod assembly;
mod attestation;
mod cli;
mod commands;
mod compression;
mod content;
mod context;
mod digest;
mod download;
mod driver;
mod encoding;
mod error;
mod file;
mod filesystem;
mod header_limit;
mod hooks;
mod image;
mod json;
mod machine;
mod memory;
mod names;
mod output;
mod parallel;
mod platform;
mod progress;
mod query;
mod readahead;
mod reference;
mod secret;
mod serve;
mod source;
mod state;
mod terminal;
mod text;

use std::process::ExitCode;

use cli::Request;
use commands::{Command, Run};
use error::{During, Result};

fn main() -> ExitCode {
    file::survive_size_limit();
    machine::one_heap();
    run().map(ExitCode::from).unwrap_or_else(|error| {
        error.report();
        ExitCode::from(error.kind().exit_code())
    })
}

fn run() -> Result<u8> {
    let table = commands::table();
    let arguments = hooks::arguments(std::env::args_os())?;
    if let Some(answer) = hooks::answer(&table, &arguments) {
        return output::show(&answer);
    }
    if let Some(filtered) = hooks::filter(&arguments) {
        return filtered;
    }
    match cli::parse(&table, arguments)? {
        Request::Show(page) => output::show(&page),
        Request::Run(spec, args) => {
            let usual = context::usual_options().and_then(|words| args.after(&table, &words));
            let args = usual.during(cli::USUAL)?;
            if let Command { run: Run::Serve, .. } = commands::of(spec) {
                return serve::run(table, &args).map_err(|error| args.hinted(error));
            }
            let context = context::Context::new(&args).map_err(|error| args.hinted(error))?;
            driver::run(&context, commands::of(spec), &args)
        }
    }
}
