//! docker-registry: ask a container registry.

#![allow(dead_code)]

mod answer;
mod cli;
mod commands;
mod compression;
mod context;
mod digest;
mod document;
mod driver;
mod encoding;
mod error;
mod image;
mod manual;
mod output;
mod parallel;
mod platform;
mod query;
mod reference;
mod secret;
mod source;

use std::process::ExitCode;

use cli::Request;
use error::Result;

fn main() -> ExitCode {
    run().map(ExitCode::from).unwrap_or_else(|error| {
        error.report();
        ExitCode::from(error.kind() as u8)
    })
}

fn run() -> Result<u8> {
    let table = commands::table();
    match cli::parse(&table, std::env::args_os().skip(1))? {
        Request::Help => output::show(&cli::help(&table)),
        Request::FullHelp => output::show(&cli::full_help(&table)),
        Request::CommandHelp(spec) => output::show(&cli::command_help(&table, spec)),
        Request::Version => output::show(&format!("{} {}\n", table.name, table.version)),
        Request::Run(spec, args) => {
            let context = context::Context::new(&args)?;
            driver::run(&context, commands::of(spec), &args)
        }
    }
}
