//! Images × platforms → answers: in parallel, printed in the order they were asked for.

mod pair;
mod printer;
mod question;
mod wait;

use std::sync::Arc;

use crate::cli::Args;
use crate::commands::Command;
use crate::context::Context;
use crate::error::Result;
use crate::memory::Share;
use crate::output;
use printer::Printer;
use question::Question;

pub(crate) use printer::Answered;

/// What all questions may take together that are asked beside one another, in bytes of memory.
const BESIDE: usize = 8 << 20;

/// The same of one that is asked by itself, but for several things at a time.
const ALONE: usize = 40 << 20;

/// Asks the command's question of every image that was named, prints the answers and gives the
/// exit code.
pub(crate) fn run(context: &Context, command: &Command, args: &Args) -> Result<u8> {
    let question = Question::new(context, command, args)?;
    let mut printer = Printer::new(context, command.spec.name);
    // A command that only reads may end at any time: nobody waits for its answer.
    if command.spec.operand.is_only_read() {
        output::when_closed(|| printer::leave());
    }
    let ended = match command.is_of_many() && context.is_batch(args) {
        true => batch(context, &question, args, &mut printer),
        false => question.answer(ALONE).and_then(|answered| printer.print(answered, false)),
    };
    printer.finish(ended)
}

/// What the command answers to one of many who ask at the same time.
pub(crate) fn ask(context: &Context, command: &Command, args: &Args) -> Result<Answered> {
    Question::new(context, command, args)?.answer(BESIDE)
}

/// What came of a question that was asked beside others.
enum Begun {
    Answered(Box<Answered>, Arc<Share>),
    /// There was too little memory: the image is asked for when its turn has come.
    Postponed(String),
}

fn batch(context: &Context, question: &Question, args: &Args, printer: &mut Printer) -> Result<()> {
    let work = |text: Result<String>| {
        let text = text?;
        Ok(match question.beside(BESIDE, &[&text]) {
            Some((answered, share)) => Begun::Answered(Box::new(answered?), share),
            None => Begun::Postponed(text),
        })
    };
    let weigh = |begun: &Result<Begun>| match begun {
        Ok(Begun::Answered(answered, _)) => answered.answer.weight(),
        _ => 0,
    };
    context.pool.ordered(context.texts(args)?, work, weigh, |begun| match begun {
        Ok(Begun::Answered(answered, _share)) => printer.line(Ok(*answered)),
        Ok(Begun::Postponed(text)) => printer.line(question.alone(&[&text])),
        Err(error) => printer.line(Err(error)),
    })
}
