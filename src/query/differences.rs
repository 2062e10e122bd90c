//! Where the built-in jq is not what jq's manual describes.

/// What it is about, and what holds here; the man page lists them.
pub(crate) const DIFFERENCES: &[(&str, &str)] = &[
    (
        "numbers",
        "A number that a filter only passes on is printed as it was written, with all its digits. \
         Whole numbers are computed exactly, however long they are; others as 64-bit floats.",
    ),
    ("literals", "A number in a filter starts with a digit: 0.5, not .5."),
    (
        "regular expressions",
        "Perl's, with look-around and back-references; what tries too many ways is an error. \
         $ does not match before a line end; the flags l and s change nothing.",
    ),
    ("destructuring", "There is no ?//, and no {$name: pattern}."),
    (
        "modules",
        "There is no import, include, modulemeta or get_search_list, and no builtins, \
         $__prog_args or SQL beyond IN, INDEX and JOIN.",
    ),
    (
        "foreach",
        "When the update gives several results, each of them is followed to the end on its own.",
    ),
    ("|= empty", "What the filter gives nothing for is deleted, as in jq 1.7."),
    ("env, $ENV", "Empty objects: a filter sees no environment. --arg passes values."),
    (
        "input, inputs",
        "There is one input at a time: input is an error, inputs is empty, input_filename is null, \
         input_line_number is 0.",
    ),
    (
        "halt, halt_error",
        "End the filter for this answer, not the program. halt_error makes the exit code 1, \
         whatever code it is given.",
    ),
    (
        "dates",
        "fromdate accepts fractions of a second and offsets. strptime and strftime know the \
         conversions of C that do not depend on the locale.",
    ),
    ("error messages", "Those of paths and of some functions are worded differently."),
    (
        "limits",
        "Brackets in a filter nest to 1,000, values that are read to 1,000 and printed to 10,000; a string \
         that is computed has 256 MiB at most, an array grown by setting an index 2^26 items. \
         A filter that takes more than 1 GiB of memory, or gives no result for ten times \
         --timeout, ends the program with exit code 1.",
    ),
];
