# jq's built-in functions where jaq has none or another: definitions that a filter does not use
# are left out. A definition sees those above it, and jaq's own; one that names itself recurs.

def map(f): [.[] | f];
def map_values(f): .[] |= f;
def add(f): reduce f as $x (null; . + $x);
def add: add(.[]);
def last(f): _last(f);
def first: .[0];
def last: .[-1];
def nth($n): .[$n];
def limit($n; f): if $n < 0 then error("limit doesn't support negative count") else _limit($n; f) end;
def skip($n; f): if $n < 0 then error("skip doesn't support negative count") else _skip($n; f) end;
def nth($n; f): if $n < 0 then error("nth doesn't support negative indices") else first(skip($n; f)) end;
def range($from; $upto; $by):
  if $by == 0 then empty elif [$from, $upto, $by] | all(type == "number") then _range($from; $upto; $by)
  else error("Range bounds must be numeric") end;
def range($from; $upto): range($from; $upto; 1);
def range($upto): range(0; $upto; 1);

def type: _type;
def tostring: _tostring;
def tojson: _tojson;
def fromjson: _fromjson;
def tonumber: _tonumber;
def toboolean:
  if type == "boolean" then .
  elif . == "true" then true
  elif . == "false" then false
  else error("\(type) (\(tojson)) cannot be parsed as a boolean") end;
def have_literal_numbers: true;
def have_decnum: true;

def infinite: 1e1000 * 1;
def nan: infinite - infinite;
def isnan: if type == "number" then . != . else error("\(type) (\(tojson)) number required") end;
def isinfinite:
  if type == "number" then . == infinite or . == -infinite
  else error("\(type) (\(tojson)) number required") end;
def isfinite: type == "number" and (isinfinite | not);
def isnormal: if type == "number" then (. == 0 or isnan or isinfinite or fabs < 2.2250738585072014e-308) | not
  else error("\(type) (\(tojson)) number required") end;
def finites: select(isinfinite or isnan | not);
def normals: select(isnormal);
def abs: if . < 0 then -. else . end;
def logb: if . == 0 then -infinite elif isinfinite then infinite elif isnan then . else ilogb end;
def significand: if . == 0 or isinfinite or isnan then . else scalbln(.; -ilogb) end;
def drem($a; $b): remainder($a; $b) | if . == 0 then copysign(.; $a) else . end;
def gamma: lgamma;
def lgamma_r: [lgamma, (if . < 0 and floor % 2 != 0 then -1 else 1 end)];

def has($key): _has($key);
def in(f): . as $key | f | has($key);
def contains($other):
  if type == ($other | type) then _contains($other)
  else error("\(_quoted) and \($other | _quoted) cannot have their containment checked") end;
def inside(f): . as $inner | f | contains($inner);
def sort: _sort_by(.);
def sort_by(f): _sort_by(f);
def group_by(f): _group_by(f);
def unique_by(f): [group_by(f)[] | .[0]];
def unique: unique_by(.);
def keys: keys_unsorted | sort;
def flatten($depth):
  if $depth < 0 then error("flatten depth must not be negative")
  else [.[] | if type == "array" and $depth > 0 then flatten($depth - 1)[] else . end] end;
def flatten: [.[] | recurse(arrays[]) | select(type != "array")];
def join($separator):
  reduce .[] as $item (null;
    if . == null then "" else . + $separator end
    + ($item | if . == null then "" elif type == "number" or type == "boolean" then tojson else . end))
  // "";
def index($i): if . == null then null else indices($i)[0] end;
def rindex($i): if . == null then null else indices($i)[-1] end;
def transpose: if . == [] then [] else [range(map(length) | max) as $i | [.[][$i]]] end;
def combinations: if length == 0 then [] else .[0][] as $head | .[1:] | combinations as $tail | [$head] + $tail end;
def combinations($n): . as $items | [range($n) | $items] | combinations;
def implode:
  if type != "array" then error("implode input must be an array")
  else map(
    if type != "number" or isnan then error("\(_quoted) can't be imploded, unicode codepoint needs to be numeric")
    elif . < 0 or . >= 1114112 or . >= 55296 and . < 57344 then 65533 else floor end) | _implode end;
def utf8bytelength: if type == "string" then _utf8bytelength else error("\(_quoted) only strings have UTF-8 byte length") end;
def _trimmed(f): if type == "string" then f else error("trim input must be a string") end;
def trim: _trimmed(_trim);
def ltrim: _trimmed(_ltrim);
def rtrim: _trimmed(_rtrim);
def bsearch($x): if type == "array" then _bsearch($x) else error("\(_quoted) cannot be searched from") end;

def paths: path(..) | select(length > 0);
def getpath($path): reduce $path[] as $key (.; .[$key]);
def setpath($path; $value): _setpath($path; $value);
def delpaths($paths): _delpaths($paths);
def del(f): delpaths([path(f)]);
def paths(f): . as $whole | paths | select(. as $path | $whole | getpath($path) | f);
def leaf_paths: paths(scalars);
def pick(f): . as $whole | reduce path(f) as $path (null; setpath($path; $whole | getpath($path)));
def to_entries: [keys_unsorted[] as $key | {key: $key, value: .[$key]}];
def from_entries:
  def either(f; g): if f == null then g else f end;
  reduce .[] as $entry ({};
    . + ($entry | {
      (either(either(either(either(either(.key; .k); .name); .Name); .Key); .K)
        | if type == "string" then .
          elif type == "null" or type == "boolean" or type == "number" then tojson
          else error("Cannot use \(type) (\(tojson)) as object key") end):
      (if has("value") then .value elif has("v") then .v else .Value end)
    }));
def with_entries(f): to_entries | map(f) | from_entries;
def walk(f):
  def inner: if type == "object" then map_values(inner) elif type == "array" then map(inner) else . end | f;
  inner;
def recurse_down: recurse;
def env: {};
def input: error("break");
def inputs: empty;
def input_filename: null;
def input_line_number: 0;
def debug: (["DEBUG:", .] | tojson + "\n" | _note), .;
def debug(f): (f | debug | empty), .;
def stderr: (tojson | _note), .;
def halt_error($code): _halt_error;
def halt_error: _halt_error;

def IN(f): any(f == .; .);
def IN(source; f): any(source == f; .);
def INDEX(source; f): reduce source as $row ({}; .[$row | f | tostring] = $row);
def INDEX(f): INDEX(.[]; f);
def JOIN($index; f): [.[] | [., $index[f]]];
def JOIN($index; source; f): source | [., $index[f]];
def JOIN($index; source; f; g): source | [., $index[f]] | g;

def tostream:
  def events($path):
    if (type == "array" or type == "object") and length > 0 then
      keys_unsorted as $keys
      | ($keys[] as $key | .[$key] | events($path + [$key])), [$path + [$keys[-1]]]
    else [$path, .] end;
  events([]);
def fromstream(f):
  foreach f as $event ({};
    if .done then {} else . end
    | .done = (if $event | length == 2 then $event[0] | length == 0 else $event[0] | length == 1 end)
    | if $event | length == 2 then .value |= setpath($event[0]; $event[1]) else . end;
    if .done then .value else empty end);
def truncate_stream(f): . as $depth | null | f | select(.[0] | length > $depth) | .[0] |= .[$depth:];

def ltrimstr($prefix):
  if type == "string" and ($prefix | type == "string") and startswith($prefix) then .[($prefix | length):] else . end;
def rtrimstr($suffix):
  if type == "string" and ($suffix | type == "string") and $suffix != "" and endswith($suffix)
  then .[:length - ($suffix | length)] else . end;
def trimstr($around): ltrimstr($around) | rtrimstr($around);
def match($re; $flags): _pieces($re; $flags)[] | objects;
def match($re): if $re | type == "array" then match($re[0]; $re[1]) else match($re; null) end;
def test($re; $flags): _test($re; $flags);
def test($re): if $re | type == "array" then test($re[0]; $re[1]) else test($re; null) end;
def _captured: [.captures[] | select(.name != null) | {key: .name, value: .string}] | from_entries;
def capture($re; $flags): match($re; $flags) | _captured;
def capture($re): match($re) | _captured;
def scan($re; $flags): match($re; "g" + $flags) | if .captures == [] then .string else [.captures[].string] end;
def scan($re): if $re | type == "array" then scan($re[0]; $re[1]) else scan($re; null) end;
def split($re; $flags): [_pieces($re; "g" + $flags)[] | strings];
def splits($re; $flags): split($re; $flags)[];
def splits($re): splits($re; null);
def sub($re; f; $flags):
  . as $text | _pieces($re; $flags) | _replaced(_captured | f) | if . == [] then $text else .[] end;
def sub($re; f): sub($re; f; null);
def gsub($re; f; $flags): sub($re; f; "g" + $flags);
def gsub($re; f): gsub($re; f; null);

def _instant($name):
  if type == "array" then
    if . != [] and (min <= true or max >= "") then error("\($name) requires parsed datetime inputs")
    elif .[1] | . != null and (0 <= . and . < 12 | not) then error("\(_quoted) has no month from 0 to 11")
    else . + [0, 0, 1, 0, 0, 0][length:] end
  elif type == "number" and (-377705023201 <= . and . <= 253402207200 | not) then
    error("\(_quoted) is no time between the years -9999 and 9999")
  else . end;
def _formatted($name; $format; f):
  _instant($name) | if $format | type == "string" then f else error("\($name) requires a string format") end;
def gmtime: _instant("gmtime") | _gmtime;
def localtime: _instant("localtime") | _localtime;
def mktime: _instant("mktime") | _mktime;
# The name of a zone changes nothing, as in jq.
def strptime($format):
  if $format | endswith("%Z") then sub("[A-Za-z]*$"; "") | _strptime($format[:-2]) else _strptime($format) end;
def strftime($format): _formatted("strftime/1"; $format; _strftime($format));
def strflocaltime($format): _formatted("strflocaltime/1"; $format; _strflocaltime($format));
def todate: if type == "number" then floor | todateiso8601 else strftime("%Y-%m-%dT%H:%M:%SZ") end;

def _row($what; f): if type == "array" then map(f) else error("\(type) (\(tojson)) cannot be \($what)-formatted, only an array can be") end;
def _cell($what; f):
  if type == "string" then f
  elif type == "number" or type == "boolean" then tojson
  elif type == "null" then ""
  else error("\(type) (\(tojson)) is not valid in a \($what) row") end;
def _replace($old; $new): split($old) | join($new);
def @text: tostring;
def @json: tojson;
def @csv: _row("csv"; _cell("csv"; "\"" + _replace("\""; "\"\"") + "\"")) | join(",");
def @tsv: _row("tsv"; _cell("tsv"; _replace("\\"; "\\\\") | _replace("\t"; "\\t") | _replace("\n"; "\\n") | _replace("\r"; "\\r")))
  | join("\t");
def @sh:
  def quoted:
    if type == "string" then "'" + _replace("'"; "'\\''") + "'"
    elif type == "array" or type == "object" then error("\(type) (\(tojson)) can not be escaped for shell")
    else tojson end;
  if type == "array" then map(quoted) | join(" ") else quoted end;
def @html: tostring | _replace("&"; "&amp;") | _replace("<"; "&lt;") | _replace(">"; "&gt;")
  | _replace("'"; "&apos;") | _replace("\""; "&quot;");
def @uri: tostring | encode_uri;
def @urid: tostring as $text
  | if $text | test("%(?![0-9A-Fa-f]{2})") then null else $text | _decode_uri end
  | if . == null or any(explode[]; . < 0) then error("\($text | _quoted) is not a valid uri encoding") else . end;
def @base64: tostring | encode_base64;
def @base64d: (tostring | _base64d) // error("\(_quoted) is not valid base64 data");
def format($name):
  if $name == "text" then @text elif $name == "json" then @json elif $name == "csv" then @csv
  elif $name == "tsv" then @tsv elif $name == "sh" then @sh elif $name == "html" then @html
  elif $name == "uri" then @uri elif $name == "urid" then @urid
  elif $name == "base64" then @base64 elif $name == "base64d" then @base64d
  else error("\($name) is not a valid format") end;
