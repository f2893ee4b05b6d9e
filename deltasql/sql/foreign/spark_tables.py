"""Spark's functions: by DataFusion's own, and those of Spark's library, registered (`tables` says how)."""

from __future__ import annotations

PARTS = """
year/1 int = date_part('year', _1)
quarter/1 int = date_part('quarter', _1)
month/1 int = date_part('month', _1)
day/1 int = date_part('day', _1)
hour/1 int = date_part('hour', _1)
minute/1 int = date_part('minute', _1)
second/1 int = date_part('second', _1)
dayofmonth/1 int = date_part('day', _1)
dayofyear/1 int = date_part('doy', _1)
"""

SPARK = (
    PARTS
    + """
nvl/2 united = coalesce(_1, _2)
ifnull/2 united = coalesce(_1, _2)
nvl2/3 - = CASE WHEN _1 IS NOT NULL THEN _2 ELSE _3 END
isnull/1 bool = _1 IS NULL
isnotnull/1 bool = _1 IS NOT NULL
ucase/1 string = upper(_1)
lcase/1 string = lower(_1)
trim/2 string = btrim(_2, _1)
startswith/2 bool = starts_with(_1, _2)
endswith/2 bool = ends_with(_1, _2)
contains/2 bool
charindex/2 int = strpos(_2, _1)
locate/2 int = strpos(_2, _1)
position/2 int = strpos(_2, _1)
instr/2 int = strpos(_1, _2)
translate/3 string
repeat/2 string
lpad/2 string
rpad/2 string
left/2 string
substring_index/3 string
levenshtein/2 int
octet_length/1 int
now/0 timestamp
current_timestamp/0 timestamp = now()
current_date/0 date = current_date()
curdate/0 date = current_date()
to_date/1 date = CAST(_1 AS DATE)
make_date/3 date
dayofweek/1 int = date_part('dow', _1)
weekofyear/1 int = date_part('week', _1)
count_if/1 int = count(CASE WHEN _1 THEN 1 END)
bool_and/1 bool
bool_or/1 bool
every/1 bool = bool_and(_1)
some/1 bool = bool_or(_1)
mean/1 float = avg(_1)
median/1 float
approx_count_distinct/1 int = approx_distinct(_1)
array_agg/1 array = collect_list(_1)
greatest/2+ united
least/2+ united
map_keys/1 array
map_values/1 array
named_struct/2+ -
array_max/1 -
array_min/1 -
explode/1 - = unnest(_1)
log/1 float = ln(_1)
log/2 float = log(_1, _2)
log2/1 float
log10/1 float
cbrt/1 float
sinh/1 float
cosh/1 float
tanh/1 float
cot/1 float
isnan/1 bool
rand/0 float = random()
random/0 float
uuid/0 string
md5/1 string
rlike/2 bool = regexp_like(_1, _2)
regexp_like/2 bool
regexp/2 bool = regexp_like(_1, _2)
try_divide/2 float = CAST(_1 AS DOUBLE) / nullif(_2, 0)
"""
)

REGISTERED = frozenset({
    "abs", "add_months", "array", "array_contains", "array_repeat", "ascii", "avg", "base64", "bin", "bit_count",
    "bit_get", "ceil", "ceiling", "char", "collect_list", "collect_set", "concat_ws", "crc32", "csc", "date_add",
    "date_diff", "date_sub", "date_trunc", "dateadd", "datediff", "elt", "expm1", "factorial", "floor",
    "format_string", "from_utc_timestamp", "getbit", "hex", "hypot", "ilike", "json_tuple", "last_day", "length",
    "len", "like", "luhn_check", "make_dt_interval", "make_interval", "map_from_arrays", "map_from_entries", "mod",
    "negative", "next_day", "parse_url", "pmod", "pow", "power", "printf", "quote", "rint", "round", "sec", "sha",
    "sha1", "sha2", "shiftleft", "shiftright", "shiftrightunsigned", "size", "slice", "soundex", "space",
    "str_to_map", "substr", "substring", "to_utc_timestamp", "trunc", "try_parse_url", "try_sum", "try_url_decode",
    "unbase64", "unhex", "unix_date", "unix_micros", "unix_millis", "unix_seconds", "url_decode", "url_encode",
    "weekday", "width_bucket", "xxhash64", "char_length", "character_length",
})  # fmt: skip
"""The functions of Spark that the engine has by their own names, with ``deltasql.spark_functions``."""
