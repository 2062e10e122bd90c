//! What the built-in jq promises beyond what `compare` compares.

use super::definitions;
use super::*;

pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// Everything that a filter gives, a line each, `!` before a note; or its error.
fn run(filter: &str, input: &str) -> std::result::Result<String, Error> {
    let arguments = [("v", "1"), ("w", "a"), ("v", "2")];
    let arguments = arguments.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let query = Query::compile(filter, &arguments, TIMEOUT)?;
    let mut lines = Vec::new();
    let platform = Some("linux/amd64");
    query.run(input.as_bytes().into(), Some("ubuntu"), platform, &mut |output| {
        lines.push(match output {
            Output::Text(text) => text.to_string(),
            Output::Json(json) => String::from_utf8(json.to_vec()).unwrap(),
            Output::Note(note) => format!("!{note}"),
        });
        Ok(())
    })?;
    Ok(lines.join("\n"))
}

#[test]
fn results_stand_as_they_should() {
    for (input, filter, expected) in [
        // Numbers stay as they were written until something is computed.
        (
            "[1.0,1e2,-0.0,123456789012345678901234567890]",
            ".",
            "[1.0,1e2,-0.0,123456789012345678901234567890]",
        ),
        ("1.50", "., . + 0, tojson", "1.50\n1.5\n1.50"),
        ("9007199254740993", ". + 1", "9007199254740994"),
        ("null", "10 / 2, 10 / 4, 1e1000 * 1", "5\n2.5\n1.7976931348623157e+308"),
        (
            "null",
            "[nan, infinite, -infinite]",
            "[null,1.7976931348623157e+308,-1.7976931348623157e+308]",
        ),
        ("null", "9 | sqrt | tostring, \"\\(. / 3)\"", "3\n1"),
        // Keys keep their order.
        ("{\"b\":1,\"a\":2,\"c\":3}", ".d = 4 | del(.b)", "{\"a\":2,\"c\":3,\"d\":4}"),
        (
            "{\"b\":1,\"a\":2}",
            "keys, keys_unsorted, to_entries[0].key",
            "[\"a\",\"b\"]\n[\"b\",\"a\"]\nb",
        ),
        // What stands nowhere yet is made.
        ("null", ".a.b[2] |= 1", "{\"a\":{\"b\":[null,null,1]}}"),
        ("[1,2,3,4]", "(.[] | select(. > 2)) |= empty", "[1,2]"),
        ("[[1,2],[3]]", "[.[][]] as [$a, $b] | $a + $b", "3"),
        ("[0,1,2,3]", "del(.[1], .[-1], .[0:1])", "[2]"),
        ("null", "[\"YWI\", \"YQ====\", \"=\", \"YWJ\"][] | @base64d", "ab\na\n\nab"),
        ("null", "\"a\\u0007\\u007f\"", "a\u{7}\u{7f}"),
        ("null", "[\"a\\u0007\\u007f\"]", "[\"a\\u0007\\u007f\"]"),
        ("null", "$v, $w, $image, $platform, $ENV, env", "1\na\nubuntu\nlinux/amd64\n{}\n{}"),
        ("null", "$ARGS.named", "{\"v\":\"1\",\"w\":\"a\"}"),
        ("null", "1 | debug | stderr", "![\"DEBUG:\",1]\n\n!1\n1"),
        ("null", "1, halt, 2", "1"),
        ("null", "[inputs], input_filename, \n$__loc__.line", "[]\nnull\n2"),
        ("null", "[limit(3; repeat(1))]", "[1,1,1]"),
        ("null", "def f($a): a + $a; f(2)", "4"),
        ("null", "def f: def g: 3; g; f", "3"),
        ("{\"a\":{\"b\":1}}", "[tostream]", "[[[\"a\",\"b\"],1],[[\"a\",\"b\"]],[[\"a\"]]]"),
        ("[1,[2]]", "[1 | truncate_stream([[0],1],[[1,0],2],[[1,0]],[[1]])]", "[[[0],2],[[0]]]"),
        ("null", "\"X\" | ascii_downcase", "x"),
        (
            "null",
            "[\"a,b;c\" | splits(\"[,;]\")], (\"aXa\" | gsub(\"A\"; \"b\"; \"i\"))",
            "[\"a\",\"b\",\"c\"]\nbXb",
        ),
        ("null", "\"p\" | [gsub(\"p\"; \"a\", \"b\")]", "[\"a\",\"b\"]"),
        ("null", "", "null"),
        (
            "\"abc\"",
            "sub(\"x\"; \"y\"), sub(\"b\"; empty), sub(\"(?<c>b)\"; \"<\\(.c)>\", \"-\")",
            "abc\nabc\na<b>c\na-c",
        ),
    ] {
        assert_eq!(run(filter, input).as_deref(), Ok(expected), "{filter}");
    }
}

#[test]
fn expressions_are_those_of_jq() {
    for (filter, expected) in [
        (
            "[\"1.2\", \"1.2-rc1\"] | map(select(test(\"^[0-9.]+$(?<!rc)|^v(?!.*-rc)\")))",
            "[\"1.2\"]",
        ),
        (
            "[\"é\", \"1\", \"\u{a0}\"] | map(test(\"\\\\w\"), test(\"[[:alpha:]]\"), test(\"[^\\\\S]\"))",
            "[true,true,false,true,false,false,false,false,true]",
        ),
        ("[\"É\" | test(\"é\"; \"i\")], [\"abab\" | test(\"^(ab)\\\\1$\")]", "[true]\n[true]"),
        ("[\"ab\" | match(\"\"; \"g\").offset]", "[0,1,2]"),
        ("[\"xab\" | match(\"(?<=(?<x>x))a\") | .offset, .captures[0].offset]", "[1,0]"),
        ("[range(1000) | tostring | test(\"^\" + (. | tostring))] | all", "true"),
    ] {
        assert_eq!(run(filter, "null").as_deref(), Ok(expected), "{filter}");
    }
    // Compiled once, however often it is used.
    let start = std::time::Instant::now();
    let expression = "(\\\\w+[.-]){1,20}(\\\\p{L}|rc)\\\\d*$";
    let filter = format!("[range(20000) | \"a\" | select(test(\"{expression}\"))] | length");
    assert_eq!(run(&filter, "null").as_deref(), Ok("0"));
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn what_jq_refuses_or_ends_is_refused_or_ends() {
    for (filter, expected) in [
        ("[] | .os.version // 1", "Cannot index array with string (\"os\")"),
        ("null | join(\",\")", "Cannot iterate over null"),
        ("range(\"3\")", "Range bounds must be numeric"),
        ("{a: 1} as [$x] | $x", "Cannot index object with number"),
        ("reduce {a: 1} as [$x] (0; 1)", "Cannot index object with number"),
        ("limit(-1; 1)", "limit doesn't support negative count"),
        ("input", "break"),
        ("\"%F0\" | @urid", "string (\"%F0\") is not a valid uri encoding"),
        (
            "\"123456789 123456789 123456789 \" | -.",
            "string (\"123456789 123456789 1234...\") cannot be negated",
        ),
        ("[2015, 12] | mktime", "array ([2015,12]) has no month from 0 to 11"),
        ("[\"a\"] | mktime", "mktime requires parsed datetime inputs"),
    ] {
        let error = run(filter, "null").unwrap_err();
        assert_eq!(error.to_string(), format!("filter: {expected}"), "{filter}");
    }
    for (filter, expected) in [
        ("[(null, 1, false, 2) // 3, (null, false) // 4, empty // 5]", "[1,2,4,5]"),
        ("[range(0; 3; 0)], [range(0, 1; 2, 3)]", "[]\n[0,1,0,1,2,1,1,2]"),
        ("{a: [1, [2]], b: 3} | flatten, flatten(1)", "[1,2,3]\n[1,[2],3]"),
        ("\"'\" | @html", "&apos;"),
        ("reduce range(24) as $i (10; . * .)", "1.7976931348623157e+308"),
        ("have_decnum", "true"),
        ("[2024, 2] | mktime, strftime(\"%d\")", "1709251200\n01"),
        ("\"2015-03-05T23:51:47CET\" | strptime(\"%Y-%m-%dT%H:%M:%S%Z\") | mktime", "1425599507"),
        ("[range(3)] | .[1:nan]", "[1,2]"),
        ("[-1, 65, 1114112] | implode", "\u{fffd}A\u{fffd}"),
    ] {
        assert_eq!(run(filter, "null").as_deref(), Ok(expected), "{filter}");
    }
    for name in ["ascii", "isvalid(.)", "toarray", "dateadd(1; 2)", "@base32", "@base32d"] {
        let error = Query::compile(name, &[], TIMEOUT).err().unwrap();
        assert_eq!(error.kind(), Kind::Usage, "{name}");
    }
}

#[test]
fn failures_are_told() {
    for (input, filter, kind, expected) in [
        ("1 2", ".", Kind::Corrupt, "not JSON: something follows the value at line 1 column 3"),
        ("1", ".a", Kind::Local, "filter: Cannot index number with string (\"a\")"),
        ("null", ".[]", Kind::Local, "filter: Cannot iterate over null"),
        (
            "1",
            ". / 0",
            Kind::Local,
            "filter: number (1) and number (0) cannot be divided because the divisor is zero",
        ),
        ("1", "{(.): 1}", Kind::Local, "filter: Object keys must be strings, not number (1)"),
        ("{}", "error", Kind::Local, "filter: {} (not a string)"),
        ("1", "\"bye\\n\" | halt_error(3)", Kind::Local, "filter: bye"),
        (
            "\"a\"",
            "test(\"(b\")",
            Kind::Local,
            "filter: (b (at offset 0) is not a valid regex: parsing error at position 2: \
             Opening parenthesis without closing parenthesis",
        ),
        ("\"x\"", ". * 1e10", Kind::Local, "filter: Repeat string result too long"),
        (
            "null",
            "reduce range(60) as $i (\"x\"; . + .)",
            Kind::Local,
            "filter: the string gets too long",
        ),
        ("null", ".[1e12] = 1", Kind::Local, "filter: Array index too large"),
    ] {
        let error = run(filter, input).unwrap_err();
        assert_eq!((error.kind(), format!("{error:#}").as_str()), (kind, expected), "{filter}");
    }
}

#[test]
fn a_fault_in_a_filter_is_marked() {
    for (filter, expected) in [
        (
            ".a | foo(1) | $x",
            "filter: no function foo/1; no variable $x\n  .a | foo(1) | $x\n       ^^^\n  .a | foo(1) | $x\n                ^^",
        ),
        ("\"é世\" | bär", "filter: unexpected character\n  \"é世\" | bär\n           ^"),
        (
            ".a |\n  map(.b | nope)\n",
            "filter: no function nope/0\n    map(.b | nope)\n             ^^^^",
        ),
        ("map(.a", "filter: closing parenthesis is missing\n  map(.a\n     ^"),
        (".a b", "filter: unexpected 'b'\n  .a b\n     ^"),
        (
            "if . then 1 ",
            "filter: expected else or end, found the end\n  if . then 1 \n             ^",
        ),
        ("\t\u{1b}x", "filter: unexpected character\n  \\u{9}\\u{1b}x\n       ^^^^^^"),
        (
            "import \"a\" as a; .",
            "filter: modules are not supported: 'import'\n  import \"a\" as a; .\n  ^^^^^^",
        ),
        (
            "reduce . as $x (0)",
            "filter: wrong number of arguments to reduce\n  reduce . as $x (0)\n  ^^^^^^",
        ),
    ] {
        let error = Query::compile(filter, &[], TIMEOUT).err().unwrap();
        assert_eq!((error.kind(), format!("{error:#}").as_str()), (Kind::Usage, expected));
    }
    let image = [("image".to_owned(), "x".to_owned())];
    let error = Query::compile(".", &image, TIMEOUT).err().unwrap();
    assert_eq!(error.to_string(), "--arg image: $image is bound already");
}

#[test]
fn recursion_without_end_is_an_error() {
    for filter in [
        "def f: 1 + f; f",
        "def f: [f]; f",
        "def f: def g: f | 1 + .; g; f",
        "def f(x): [f(x)]; f(.)",
        "path(def f: f | .a; f)",
    ] {
        let error = run(filter, "null").unwrap_err();
        assert_eq!(error.to_string(), "filter: recursion without end", "{filter}");
    }
    let caught = run("def f: 1 + f; try f catch .", "null");
    assert_eq!(caught.as_deref(), Ok("recursion without end"));
}

#[test]
fn depth_does_not_end_the_process() {
    let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(run(".", &nested(10_000)), Ok(nested(10_000)));
    let error = run(".", &nested(10_001)).unwrap_err();
    assert_eq!(error.to_string(), "filter: the result is nested too deeply");
    let error = run("fromjson", &format!("{:?}", nested(1_001))).unwrap_err();
    let why = "filter: not JSON: nested deeper than 1000 levels at line 1 column 1001";
    assert!(error.to_string().starts_with(why), "{error}");

    let deep = "reduce range(100000) as $i (null; [.])";
    assert_eq!(run(&format!("{deep} | length"), "0").as_deref(), Ok("1"));
    assert_eq!(run(&format!("{deep} | . == ., (tojson? // 1)"), "0").as_deref(), Ok("true\n1"));
    let error = run(deep, "null").unwrap_err();
    assert_eq!(error.to_string(), "filter: the result is nested too deeply");

    for open in ["(", "[", "{a:"] {
        let error = Query::compile(&open.repeat(100_000), &[], TIMEOUT).err().unwrap();
        assert_eq!(error.kind(), Kind::Usage);
    }
    let long = format!("1{}", "|.".repeat(20_000));
    assert_eq!(run(&long, "null").as_deref(), Ok("1"));
    let prefixed = format!("{}1", "try ".repeat(10_000));
    assert_eq!(run(&prefixed, "null").as_deref(), Ok("1"));
}

#[test]
fn what_is_read_in_a_filter_may_grow_as_the_filter_may() {
    let filter = "[range(300000) | 0] | tojson | fromjson | length";
    assert_eq!(run(filter, "null").as_deref(), Ok("300000"));
}

#[test]
fn a_number_of_a_million_digits_is_text() {
    let digits = "7".repeat(1_000_000);
    let start = std::time::Instant::now();
    for filter in
        [".", ".[0]", "map(.)", "tojson", "tojson | fromjson", ".[0] | tostring | tonumber"]
    {
        let given = run(filter, &format!("[{digits}]")).unwrap();
        assert_eq!(given.trim_matches(['[', ']', '\n']), digits, "{filter}");
    }
    assert_eq!(run(".[0] + 1", &format!("[{digits}]")).as_deref(), Ok("1.7976931348623157e+308"));
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn an_error_of_the_reader_ends_the_run() {
    for filter in ["repeat(1)", "0 | debug, repeat(1)", "1, def f: f; f"] {
        let query = Query::compile(filter, &[], TIMEOUT).unwrap();
        let mut taken = 0;
        let ran = query.run(b"null"[..].into(), None, None, &mut |_| {
            taken += 1;
            Err(Error::new(Kind::Local, "closed"))
        });
        assert_eq!((ran, taken), (Err(Error::new(Kind::Local, "closed")), 1), "{filter}");
    }
}

#[test]
fn the_last_result_decides() {
    for (filter, expected) in [
        ("empty", None),
        ("null", Some(false)),
        ("1, false", Some(false)),
        ("false, \"\"", Some(true)),
        ("0", Some(true)),
    ] {
        let query = Query::compile(filter, &[], TIMEOUT).unwrap();
        let last = query.run(b"null"[..].into(), None, None, &mut |_| Ok(()));
        assert_eq!(last, Ok(expected), "{filter}");
    }
}

#[test]
fn every_definition_of_the_prelude_compiles() {
    let own = jaq_core::load::parse(definitions::PRELUDE, |parser| parser.defs()).unwrap();
    for (name, arity) in own.iter().map(|def| (def.name, def.args.len())) {
        let arguments = vec!["."; arity].join("; ");
        let filter = match arity {
            0 => name.to_owned(),
            _ => format!("{name}({arguments})"),
        };
        let compiled = Query::compile(&filter, &[], TIMEOUT);
        assert!(compiled.is_ok(), "{filter}: {}", compiled.err().unwrap());
    }
}

#[test]
fn times_do_not_overflow() {
    let far = "1e12, -1e12, 1e19, 9223372036854775807, -9223372036854775808, 253402207201";
    let fields = "-1, 12, 127, 128, 1e300, nan, 9223372036854775807, \"x\"";
    for filter in [
        format!(
            "[{far} | gmtime?, localtime?, strftime(\"%s\")?, strflocaltime(\"%s\")?, todate?]"
        ),
        format!("[[2015, 2, 5, 23, 51, 47.5] | .[1] = ({fields}) | mktime?, strftime(\"%s\")?]"),
    ] {
        assert_eq!(run(&filter, "null").as_deref(), Ok("[]"), "{filter}");
    }
    let edges = "-377705023201, 253402207200 | gmtime | mktime";
    let given = run(edges, "null");
    assert_eq!(given.as_deref(), Ok("-377705023201\n253402207200"));
}
