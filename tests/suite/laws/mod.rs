//! What the tests rely on: the harness' own laws.

mod proxy;
mod real;
mod registry;
mod tool;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The message of the panic that this must end with.
fn panic_of(act: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(act)).expect_err("a panic");
    *panic.downcast::<String>().expect("a message")
}
