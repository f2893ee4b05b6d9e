"""Which functions of another engine DataFusion has, and by what expression: the ones that were compared, and no others.

A line is ``name/arguments kind [= expression]``: ``+`` behind the number allows more arguments; ``kind`` is that of the
result (``same`` as the first argument's, ``united`` of all, ``-`` unknown); without an expression it is called as it
is. ``_1`` is the first argument, ``_*`` are all. What needs more than an expression has a rule in `calls`. A line
``name !`` takes a function of the common table away.
"""

from __future__ import annotations

from deltasql.sql.foreign.spark_tables import PARTS, SPARK

COMMON = """
abs/1 same
acos/1 float
asin/1 float
atan/1 float
atan2/2 float
cos/1 float
sin/1 float
tan/1 float
exp/1 float
sqrt/1 float
ln/1 float
degrees/1 float
radians/1 float
pi/0 float
ceil/1 same
ceiling/1 same = ceil(_1)
floor/1 same
sign/1 same = signum(_1)
power/2 float = power(_1, _2)
pow/2 float = power(_1, _2)
round/1 same
round/2 same
upper/1 string
lower/1 string
reverse/1 string
length/1 int = char_length(_1)
char_length/1 int
character_length/1 int = char_length(_1)
replace/3 string
lpad/3 string
rpad/3 string
trim/1 string = btrim(_1)
ltrim/1 string
rtrim/1 string
coalesce/1+ united
nullif/2 same
sum/1 same
min/1 same
max/1 same
count/1+ int
avg/1 float
stddev/1 float = stddev_samp(_1)
stddev_samp/1 float
stddev_pop/1 float
variance/1 float = var_samp(_1)
var_samp/1 float
var_pop/1 float
corr/2 float
covar_pop/2 float
covar_samp/2 float
row_number/0 int
rank/0 int
dense_rank/0 int
percent_rank/0 float
cume_dist/0 float
ntile/1 int
lag/1+ same
lead/1+ same
first_value/1 same
last_value/1 same
nth_value/2 same
grouping/1 int
any_value/1 same
"""

POSTGRES = """
strpos/2 int
split_part/3 string
left/2 string
right/2 string
substr/2 string
substr/3 string
substring/2 string = substr(_1, _2)
substring/3 string = substr(_1, _2, _3)
btrim/1 string
btrim/2 string
ltrim/2 string
rtrim/2 string
lpad/2 string
rpad/2 string
initcap/1 string
translate/3 string
chr/1 string
ascii/1 int
repeat/2 string
starts_with/2 bool
octet_length/1 int
concat/1+ string
concat_ws/2+ string
greatest/1+ united
least/1+ united
now/0 timestamp
make_date/3 date
string_agg/2 string
array_agg/1 array
bool_and/1 bool
bool_or/1 bool
every/1 bool = bool_and(_1)
bit_and/1 same
bit_or/1 same
percentile_cont/1 float
cardinality/1 int = CAST(cardinality(_1) AS BIGINT)
array_append/2 array
array_position/2 int
log/1 float = log10(_1)
log/2 float = log(_1, _2)
log10/1 float
cbrt/1 float
sinh/1 float
cosh/1 float
tanh/1 float
cot/1 float
gcd/2 int
lcm/2 int
md5/1 string
random/0 float
gen_random_uuid/0 string = uuid()
regexp_like/2 bool
regexp_count/2 int
regexp_match/2 array
"""

REDSHIFT = """
avg !
nvl/2+ united = coalesce(_*)
nvl2/3 - = CASE WHEN _1 IS NOT NULL THEN _2 ELSE _3 END
len/1 int = char_length(_1)
charindex/2 int = strpos(_2, _1)
getdate/0 timestamp = now()
listagg/2 string = string_agg(_1, _2)
cardinality !
array_append !
array_position !
split_part !
left !
right !
greatest/1+ united
least/1+ united
concat !
concat_ws !
"""

DUCKDB = (
    PARTS
    + """
strpos/2 int
instr/2 int = strpos(_1, _2)
split_part/3 string
left/2 string
right/2 string
ltrim/2 string
rtrim/2 string
trim/2 string = btrim(_1, _2)
translate/3 string
chr/1 string
ascii/1 int
repeat/2 string
starts_with/2 bool
prefix/2 bool = starts_with(_1, _2)
ends_with/2 bool
suffix/2 bool = ends_with(_1, _2)
contains/2 bool
strlen/1 int = octet_length(_1)
concat/1+ string
concat_ws/2+ string
greatest/1+ united
least/1+ united
ifnull/2 united = coalesce(_1, _2)
if/3 - = CASE WHEN _1 THEN _2 ELSE _3 END
now/0 timestamp
today/0 date = current_date()
make_date/3 date
dayofweek/1 int = date_part('dow', _1)
weekday/1 int = date_part('dow', _1)
isodow/1 int = date_part('isodow', _1)
week/1 int = date_part('week', _1)
weekofyear/1 int = date_part('week', _1)
epoch/1 float = date_part('epoch', _1)
last_day/1 date = CAST(date_trunc('month', _1) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE)
monthname/1 string = to_char(_1, '%B')
dayname/1 string = to_char(_1, '%A')
string_agg/2 string
listagg/2 string = string_agg(_1, _2)
group_concat/2 string = string_agg(_1, _2)
array_agg/1 array
list/1 array = array_agg(_1)
count/0 int = count(*)
count_star/0 int = count(*)
count_if/1 int = count(CASE WHEN _1 THEN 1 END)
mean/1 float = avg(_1)
bool_and/1 bool
bool_or/1 bool
bit_and/1 same
bit_or/1 same
bit_xor/1 same
median/1 float
list_contains/2 bool = array_has(_1, _2)
list_has/2 bool = array_has(_1, _2)
array_contains/2 bool = array_has(_1, _2)
array_has/2 bool
list_min/1 - = array_min(_1)
list_max/1 - = array_max(_1)
list_reverse/1 array = array_reverse(_1)
list_value/1+ array = make_array(_*)
list_append/2 array = array_append(_1, _2)
list_concat/2 array = array_concat(_1, _2)
list_cat/2 array = array_concat(_1, _2)
flatten/1 array
range/2 array = range(_1, _2)
generate_series/2 array = generate_series(_1, _2)
unnest/1 -
log/1 float = log10(_1)
log/2 float = log(_1, _2)
log2/1 float
log10/1 float
cbrt/1 float
sinh/1 float
cosh/1 float
tanh/1 float
cot/1 float
gcd/2 int
lcm/2 int
md5/1 string
random/0 float
uuid/0 string
gen_random_uuid/0 string = uuid()
regexp_matches/2 bool = regexp_like(_1, _2)
"""
)

SNOWFLAKE = (
    PARTS
    + """
len/1 int = char_length(_1)
octet_length/1 int
iff/3 - = CASE WHEN _1 THEN _2 ELSE _3 END
nvl/2 united = coalesce(_1, _2)
ifnull/2 united = coalesce(_1, _2)
nvl2/3 - = CASE WHEN _1 IS NOT NULL THEN _2 ELSE _3 END
zeroifnull/1 same = coalesce(_1, 0)
nullifzero/1 same = nullif(_1, 0)
equal_null/2 bool = _1 IS NOT DISTINCT FROM _2
charindex/2 int = strpos(_2, _1)
position/2 int = strpos(_2, _1)
contains/2 bool
split_part/3 string
startswith/2 bool = starts_with(_1, _2)
endswith/2 bool = ends_with(_1, _2)
translate/3 string
chr/1 string
ascii/1 int
repeat/2 string
trim/2 string = btrim(_1, _2)
ltrim/2 string
rtrim/2 string
to_date/1 date = CAST(_1 AS DATE)
current_date/0 date = current_date()
current_timestamp/0 timestamp = now()
getdate/0 timestamp = now()
sysdate/0 timestamp = now()
dayofweek/1 int = date_part('dow', _1)
dayofweekiso/1 int = date_part('isodow', _1)
week/1 int = date_part('week', _1)
weekofyear/1 int = date_part('week', _1)
weekiso/1 int = date_part('week', _1)
last_day/1 date = CAST(date_trunc('month', _1) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE)
monthname/1 string = to_char(_1, '%b')
dayname/1 string = to_char(_1, '%a')
date_from_parts/3 date = make_date(_1, _2, _3)
count_if/1 int = count(CASE WHEN _1 THEN 1 END)
booland_agg/1 bool = bool_and(_1)
boolor_agg/1 bool = bool_or(_1)
median/1 float
approx_count_distinct/1 int = approx_distinct(_1)
percentile_cont/1 float
square/1 float = power(_1, 2)
log/2 float = log(_1, _2)
cbrt/1 float
md5/1 string
uuid_string/0 string = uuid()
"""
)

BIGQUERY = """
if/3 - = CASE WHEN _1 THEN _2 ELSE _3 END
ifnull/2 united = coalesce(_1, _2)
safe_divide/2 float = CAST(_1 AS DOUBLE) / nullif(_2, 0)
trim/1 string = regexp_replace(_1, '^\\s+|\\s+$', '', 'g')
ltrim/1 string = regexp_replace(_1, '^\\s+', '')
rtrim/1 string = regexp_replace(_1, '\\s+$', '')
trim/2 string = btrim(_1, _2)
ltrim/2 string
rtrim/2 string
starts_with/2 bool
ends_with/2 bool
strpos/2 int
instr/2 int = strpos(_1, _2)
byte_length/1 int = octet_length(_1)
octet_length/1 int
repeat/2 string
lpad/2 string
rpad/2 string
translate/3 string
current_date/0 date = current_date()
current_timestamp/0 timestamp = now()
date/1 date = CAST(_1 AS DATE)
date/3 date = make_date(_1, _2, _3)
last_day/1 date = CAST(date_trunc('month', _1) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE)
unix_seconds/1 int = CAST(floor(date_part('epoch', _1)) AS BIGINT)
countif/1 int = count(CASE WHEN _1 THEN 1 END)
logical_and/1 bool = bool_and(_1)
logical_or/1 bool = bool_or(_1)
string_agg/1 string = string_agg(_1, ',')
string_agg/2 string
array_agg/1 array
approx_count_distinct/1 int = approx_distinct(_1)
regexp_contains/2 bool = regexp_like(_1, _2)
array_length/1 int = CAST(cardinality(_1) AS BIGINT)
log10/1 float
log/1 float = ln(_1)
log/2 float = log(_2, _1)
rand/0 float = random()
generate_uuid/0 string = uuid()
div/2 int = CAST(_1 AS BIGINT) / CAST(_2 AS BIGINT)
"""

TSQL = """
abs/1 same
power !
pow !
sign !
reverse/1 string
length !
lpad !
rpad !
char_length !
character_length !
ln !
stddev !
stddev_samp !
stddev_pop !
variance !
var_samp !
var_pop !
atan2 !
atn2/2 float = atan2(_1, _2)
isnull/2 same = coalesce(_1, _2)
iif/3 - = CASE WHEN _1 THEN _2 ELSE _3 END
len/1 int = char_length(rtrim(_1))
charindex/2 int = strpos(_2, _1)
substring/3 string = substr(_1, _2, _3)
concat/2+ string
concat_ws/3+ string
replicate/2 string = repeat(_1, _2)
space/1 string = repeat(' ', _1)
getdate/0 timestamp = now()
sysdatetime/0 timestamp = now()
current_timestamp/0 timestamp = now()
year/1 int = date_part('year', _1)
month/1 int = date_part('month', _1)
day/1 int = date_part('day', _1)
datefromparts/3 date = make_date(_1, _2, _3)
eomonth/1 date = CAST(date_trunc('month', _1) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE)
count_big/1 int = count(_1)
string_agg/2 string
stdev/1 float = stddev_samp(_1)
stdevp/1 float = stddev_pop(_1)
var/1 float = var_samp(_1)
varp/1 float = var_pop(_1)
square/1 float = power(_1, 2)
log/1 float = ln(_1)
log10/1 float
newid/0 string = uuid()
greatest/1+ united
least/1+ united
"""

MYSQL = (
    PARTS
    + """
length/1 int = octet_length(_1)
stddev !
variance !
std/1 float = stddev_pop(_1)
ifnull/2 united = coalesce(_1, _2)
if/3 - = CASE WHEN _1 THEN _2 ELSE _3 END
isnull/1 bool = _1 IS NULL
concat_ws/2+ string
locate/2 int = strpos(_2, _1)
instr/2 int = strpos(_1, _2)
substring_index/3 string
ucase/1 string = upper(_1)
lcase/1 string = lower(_1)
repeat/2 string
curdate/0 date = current_date()
current_date/0 date = current_date()
now/0 timestamp = now()
current_timestamp/0 timestamp = now()
date/1 date = CAST(_1 AS DATE)
datediff/2 int = CAST(_1 AS DATE) - CAST(_2 AS DATE)
dayofweek/1 int = date_part('dow', _1) + 1
weekday/1 int = date_part('isodow', _1) - 1
last_day/1 date = CAST(date_trunc('month', _1) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE)
monthname/1 string = to_char(_1, '%B')
dayname/1 string = to_char(_1, '%A')
log/1 float = ln(_1)
log2/1 float
log10/1 float
cot/1 float
rand/0 float = random()
uuid/0 string
md5/1 string
find_in_set/2 int
"""
)

TRINO = (
    PARTS
    + """
trim/1 string = regexp_replace(_1, '^\\s+|\\s+$', '', 'g')
ltrim/1 string = regexp_replace(_1, '^\\s+', '')
rtrim/1 string = regexp_replace(_1, '\\s+$', '')
if/2 same = CASE WHEN _1 THEN _2 END
if/3 - = CASE WHEN _1 THEN _2 ELSE _3 END
strpos/2 int
starts_with/2 bool
translate/3 string
chr/1 string
concat_ws/2+ string
day_of_month/1 int = date_part('day', _1)
day_of_year/1 int = date_part('doy', _1)
day_of_week/1 int = date_part('isodow', _1)
dow/1 int = date_part('isodow', _1)
doy/1 int = date_part('doy', _1)
week/1 int = date_part('week', _1)
week_of_year/1 int = date_part('week', _1)
last_day_of_month/1 date = CAST(date_trunc('month', _1) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE)
to_unixtime/1 float = date_part('epoch', _1)
date/1 date = CAST(_1 AS DATE)
now/0 timestamp
count_if/1 int = count(CASE WHEN _1 THEN 1 END)
bool_and/1 bool
bool_or/1 bool
every/1 bool = bool_and(_1)
arbitrary/1 same = any_value(_1)
approx_distinct/1 int
array_agg/1 array
array_max/1 -
array_min/1 -
cardinality/1 int = CAST(cardinality(_1) AS BIGINT)
contains/2 bool = array_has(_1, _2)
levenshtein_distance/2 int = levenshtein(_1, _2)
regexp_like/2 bool
log/2 float = log(_1, _2)
log2/1 float
log10/1 float
cbrt/1 float
sinh/1 float
cosh/1 float
tanh/1 float
rand/0 float = random()
random/0 float
uuid/0 string
"""
)

CLICKHOUSE = """
length !
upper/1 string
"""

SQLITE = """
ifnull/2 united = coalesce(_1, _2)
iif/3 - = CASE WHEN _1 THEN _2 ELSE _3 END
instr/2 int = strpos(_1, _2)
group_concat/1 string = string_agg(_1, ',')
group_concat/2 string = string_agg(_1, _2)
string_agg/2 string
char_length !
upper/1 string
stddev !
variance !
"""

ORACLE = """
nvl/2 united = coalesce(_1, _2)
nvl2/3 - = CASE WHEN _1 IS NOT NULL THEN _2 ELSE _3 END
instr/2 int = strpos(_1, _2)
median/1 float
last_day !
"""

TABLES: dict[str, str] = {
    "postgres": POSTGRES,
    "redshift": POSTGRES + REDSHIFT,
    "duckdb": DUCKDB,
    "snowflake": SNOWFLAKE,
    "bigquery": BIGQUERY,
    "tsql": TSQL,
    "mysql": MYSQL,
    "trino": TRINO,
    "spark": SPARK,
    "clickhouse": CLICKHOUSE,
    "sqlite": SQLITE,
    "oracle": ORACLE,
}
