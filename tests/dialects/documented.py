"""What other engines' pages say that expressions give; ``!`` is what has to be refused. One a line: SQL, result."""

from __future__ import annotations

SPARK = """
abs(-1) => 1
add_months('2016-08-31', 1) => date 2016-09-30
array(1, 2, 3) => [1, 2, 3]
array_contains(array(1, 2, 3), 2) => True
array_repeat('123', 2) => ['123', '123']
ascii('222') => 50
ascii(2) => 50
base64('Spark SQL') => 'U3BhcmsgU1FM'
bin(13) => '1101'
bin(-13) => '1111111111111111111111111111111111111111111111111111111111110011'
bit_count(0) => 0
bit_get(11, 0) => 1
getbit(11, 2) => 0
ceil(-0.1) => dec 0
ceil(5) => 5
ceiling(-0.1) => dec 0
char(65) => 'A'
concat('Spark', 'SQL') => 'SparkSQL'
concat(array(1, 2, 3), array(4, 5), array(6)) => [1, 2, 3, 4, 5, 6]
concat('a', null) => None
concat_ws(' ', 'Spark', 'SQL') => 'Spark SQL'
concat_ws('s') => ''
concat_ws('/', 'foo', null, 'bar') => 'foo/bar'
crc32('Spark') => 1557323817
date_add('2016-07-30', 1) => date 2016-07-31
date_sub('2016-07-30', 1) => date 2016-07-29
date_diff('2009-07-31', '2009-07-30') => 1
datediff('2009-07-30', '2009-07-31') => -1
date_trunc('YEAR', '2015-03-05T09:32:05.359') => ts 2015-01-01 00:00:00
date_trunc('MM', '2015-03-05T09:32:05.359') => ts 2015-03-01 00:00:00
date_trunc('HOUR', '2015-03-05T09:32:05.359') => ts 2015-03-05 09:00:00
elt(1, 'scala', 'java') => 'scala'
elt(2, 'a', 1) => '1'
expm1(0) => 0.0
factorial(5) => 120
floor(-0.1) => dec -1
floor(5) => 5
format_string('Hello World %d %s', 100, 'days') => 'Hello World 100 days'
hex(17) => '11'
hex('Spark SQL') => '537061726B2053514C'
hypot(3, 4) => 5.0
last_day('2009-01-12') => date 2009-01-31
length('Spark SQL ') => 10
char_length('Spark SQL ') => 10
len('Spark SQL ') => 10
mod(2, 1.8) => dec 0.2
mod(2, 1) => 0
negative(1) => -1
next_day('2015-01-14', 'TU') => date 2015-01-20
parse_url('http://spark.apache.org/path?query=1', 'HOST') => 'spark.apache.org'
parse_url('http://spark.apache.org/path?query=1', 'QUERY', 'query') => '1'
pmod(10, 3) => 1
pmod(-10, 3) => 2
pow(2, 3) => 8.0
power(2, 3) => 8.0
printf('Hello World %d %s', 100, 'days') => 'Hello World 100 days'
rint(12.3456) => 12.0
round(2.5, 0) => dec 3
round(2.5) => dec 3
round(25, -1) => 30
sha('Spark') => '85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c'
sha1('Spark') => '85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c'
sha2('Spark', 256) => '529bc3b07127ecb7e53a4dcf1991d9152c24537d919178022b2c42657f79a26b'
shiftleft(2, 1) => 4
shiftright(4, 1) => 2
shiftrightunsigned(4, 1) => 2
size(array('b', 'd', 'c', 'a')) => 4
slice(array(1, 2, 3, 4), 2, 2) => [2, 3]
slice(array(1, 2, 3, 4), -2, 2) => [3, 4]
soundex('Miller') => 'M460'
concat(space(2), '1') => '  1'
substr('Spark SQL', 5) => 'k SQL'
substr('Spark SQL', -3) => 'SQL'
substr('Spark SQL', 5, 1) => 'k'
substring('Spark SQL', 0, 3) => 'Spa'
trunc('2019-08-04', 'week') => date 2019-07-29
trunc('2019-08-04', 'quarter') => date 2019-07-01
trunc('2009-02-12', 'MM') => date 2009-02-01
trunc('2015-10-27', 'YEAR') => date 2015-01-01
unbase64('U3BhcmsgU1FM') => b'Spark SQL'
unhex('537061726B2053514C') => b'Spark SQL'
unix_date(DATE('1970-01-02')) => 1
unix_micros(TIMESTAMP('1970-01-01 00:00:01Z')) => 1000000
unix_millis(TIMESTAMP('1970-01-01 00:00:01Z')) => 1000
unix_seconds(TIMESTAMP('1970-01-01 00:00:01Z')) => 1
url_decode('https%3A%2F%2Fspark.apache.org') => 'https://spark.apache.org'
url_encode('https://spark.apache.org') => 'https%3A%2F%2Fspark.apache.org'
weekday(DATE'2009-07-30') => 3
weekday('2009-07-30') => 3
width_bucket(5.3, 0.2, 10.6, 5) => 3
xxhash64('Spark', array(123), 2) => 5602566077635097486
hour('2009-07-30 12:58:59') => 12
minute('2009-07-30 12:58:59') => 58
second('2009-07-30 12:58:59') => 59
year('2016-07-30') => 2016
month('2016-07-30') => 7
day('2009-07-30') => 30
dayofweek('2009-07-30') => 5
dayofyear('2016-04-09') => 100
weekofyear('2008-02-20') => 8
quarter('2016-08-31') => 3
extract(YEAR FROM TIMESTAMP '2019-08-12 01:00:00.123456') => 2019
extract(DAYOFWEEK_ISO FROM DATE'2019-08-12') => 1
extract(week FROM timestamp'2019-08-12 01:00:00.123456') => 33
to_date('2009-07-30 04:17:52') => date 2009-07-30
to_date('2016-12-31', 'yyyy-MM-dd') => date 2016-12-31
date_format(date'2016-04-08', 'y') => '2016'
date_format(timestamp'2016-04-08 13:01:02', 'dd/MM/yyyy HH:mm:ss') => '08/04/2016 13:01:02'
nvl(null, array('2')) => ['2']
nvl2(null, 2, 1) => 1
if(1 < 2, 'a', 'b') => 'a'
coalesce(null, 1, null) => 1
nullif(2, 2) => None
isnull(1) => False
isnotnull(1) => True
greatest(10, 9, 2, 4, 3) => 10
least(10, 9, 2, 4, 3) => 2
contains('Spark SQL', 'Spark') => True
startswith('Spark SQL', 'Spark') => True
endswith('Spark SQL', 'SQL') => True
charindex('bar', 'foobarbar') => 4
locate('bar', 'foobarbar') => 4
position('bar', 'foobarbar') => 4
position('bar' in 'foobarbar') => 4
instr('SparkSQL', 'SQL') => 6
translate('AaBbCc', 'abc', '123') => 'A1B2C3'
repeat('123', 2) => '123123'
lpad('hi', 5, '??') => '???hi'
rpad('hi', 5, '??') => 'hi???'
lpad('hi', 5) => '   hi'
left('Spark SQL', 3) => 'Spa'
upper('SparkSql') => 'SPARKSQL'
lcase('SparkSql') => 'sparksql'
trim('    SparkSQL   ') => 'SparkSQL'
trim(BOTH 'SL' FROM 'SSparkSQLS') => 'parkSQ'
trim('SL', 'SSparkSQLS') => 'parkSQ'
replace('ABCabc', 'abc', 'DEF') => 'ABCDEF'
regexp_replace('100-200', '(\\\\d+)', 'num') => 'num-num'
regexp_extract('100-200', '(\\\\d+)-(\\\\d+)', 1) => '100'
regexp_like('%SystemDrive%\\\\Users\\\\John', '%SystemDrive%\\\\\\\\Users.*') => True
'%SystemDrive%\\\\Users\\\\John' rlike '%SystemDrive%\\\\\\\\Users.*' => True
substring_index('www.apache.org', '.', 2) => 'www.apache'
levenshtein('kitten', 'sitting') => 3
octet_length('Spark SQL') => 9
reverse('Spark SQL') => 'LQS krapS'
3 / 2 => 1.5
2L / 2L => 1.0
3 div 2 => 1
-3 div 2 => -1
2 % 1.8 => dec 0.2
try_divide(3, 2) => 1.5
try_divide(1, 0) => None
log(10, 100) => 2.0
ln(1) => 0.0
log2(2) => 1.0
log10(10) => 1.0
exp(0) => 1.0
sqrt(4) => 2.0
cbrt(27.0) => 3.0
sign(40) => 1.0
cast(1.9 as int) => 1
cast('10' as int) => 10
cast(-1.9 as int) => -1
array(1,2,3)[0] => 1
named_struct('a', 1, 'b', 2).a => 1
map_keys(map_from_arrays(array('a'), array(1))) => ['a']
'Spark' || 'SQL' => 'SparkSQL'
1 <=> 1 => True
NULL <=> 1 => False
0.1 + 0.2 = 0.3 => True
date'2021-03-28' + interval 1 month => date 2021-04-28
"it's" => "it's"
'a\\'b' => "a'b"
'a\\tb' => 'a\\tb'
md5('Spark') => '8cde774d6f7333752ed72cacddb05126'
'a_b' like 'a\\_b' => True
make_date(2013, 7, 15) => date 2013-07-15
element_at(array(1, 2, 3), 2) => 2
from_utc_timestamp('2016-08-31', 'Asia/Seoul') => ts 2016-08-31 09:00:00
to_utc_timestamp('2016-08-31', 'Asia/Seoul') => ts 2016-08-30 15:00:00
initcap('sPark sql') => !
size(NULL) => None
size(array()) => 0
aggregate(array(1, 2, 3), 0, (acc, x) -> acc + x) => !
transform(array(1, 2, 3), x -> x + 1) => !
get_json_object('{"a":"b"}', '$.a') => !
percentile_approx(1, 0.5) => !
months_between('1997-02-28', '1996-10-30') => !
array_sort(array(1, 2)) => !
date_format(date'2016-04-08', 'EEEEE') => !
cast('a' as array<int>) => !
"""

SNOWFLAKE = """
7 / 2 => dec 3.500000
1 / 3 => dec 0.333333
-7 / 2 => dec -3.500000
7 % 2 => 1
0.1 + 0.2 = 0.3 => True
'1.5'::DECIMAL(3, 1)::INT => 2
2.5::INT => 3
-2.5::INT => -3
iff(1 > 0, 'yes', 'no') => 'yes'
nvl(NULL, 3) => 3
nvl2(NULL, 1, 2) => 2
zeroifnull(NULL) => 0
ifnull(NULL, 'x') => 'x'
equal_null(NULL, NULL) => True
greatest(1, 3, 2) => 3
greatest(1, NULL) => None
least(2, NULL) => None
concat('a', 'b', 'c') => 'abc'
concat('a', NULL) => None
charindex('an', 'banana') => 2
position('an', 'banana') => 2
position('an' IN 'banana') => 2
contains('banana', 'nan') => True
startswith('banana', 'ba') => True
endswith('banana', 'na') => True
len('abc') => 3
left('abc', 2) => 'ab'
substr('abc', 2, 1) => 'b'
split_part('a-b-c', '-', 2) => 'b'
regexp_replace('aaa', 'a', 'b') => 'bbb'
regexp_like('abc', 'a') => False
'abc' RLIKE 'a.*' => True
'abc' RLIKE 'b' => False
regexp_substr('abc', 'b.') => 'bc'
dateadd(month, 1, '2023-01-31'::DATE) => date 2023-02-28
dateadd(day, -1, DATE '2024-03-01') => date 2024-02-29
dateadd('week', 1, DATE '2024-03-01') => date 2024-03-08
dateadd(hour, 2, '2024-01-01 23:00:00'::TIMESTAMP_NTZ) => ts 2024-01-02 01:00:00
datediff(year, '2020-12-31'::DATE, '2021-01-01'::DATE) => 1
datediff(month, '2021-01-31'::DATE, '2021-02-01'::DATE) => 1
datediff(day, '2021-01-31'::DATE, '2021-02-02'::DATE) => 2
datediff(hour, '2013-05-08 11:22:33'::TIMESTAMP_NTZ, '2013-05-08 13:00:00'::TIMESTAMP_NTZ) => 2
date_trunc('month', DATE '2024-02-29') => date 2024-02-01
date_part(quarter, DATE '2013-05-08') => 2
dayofweek(DATE '2024-02-04') => 0
monthname(DATE '2015-05-01') => 'May'
dayname(DATE '2015-05-01') => 'Fri'
last_day(DATE '2015-05-08') => date 2015-05-31
to_date('2013-05-17') => date 2013-05-17
to_char(DATE '2013-05-17', 'YYYY-MM-DD') => '2013-05-17'
to_char(DATE '2013-05-17', 'DD-MON-YY') => '17-May-13'
'a\\tb' => 'a\\tb'
$$it's$$ => "it's"
'it\\'s' => "it's"
parse_json('{}') => !
object_construct('a', 1) => !
array_construct(1, 2) => [1, 2]
to_number('1', '9') => !
regexp_like('abc', 'a', 'i') => !
substr('abc', -2) => !
1 AS x FROM (SELECT 1) SAMPLE (10) => !
"""

BIGQUERY = """
7 / 2 => 3.5
7 / 7 => 1.0
1.5 + 1 => 2.5
div(7, 2) => 3
mod(7, 2) => 1
safe_divide(10, 0) => None
safe_divide(20, 10) => 2.0
CAST(2.5 AS INT64) => 3
CAST(1.5 AS INT64) => 2
SAFE_CAST('apple' AS INT64) => None
CAST('123' AS INT64) => 123
if(TRUE, 'a', 'b') => 'a'
ifnull(NULL, 0) => 0
greatest(1, NULL) => None
concat('T.P.', ' ', 'Bar') => 'T.P. Bar'
concat('a', NULL) => None
"double 'quoted'" => "double 'quoted'"
'''triple 'x' ''' => "triple 'x' "
r'a\\d' => 'a\\\\d'
starts_with('bar', 'b') => True
ends_with('apple', 'e') => True
strpos('foo@example.com', '@') => 4
substr('apple', 2) => 'pple'
substr('apple', 2, 2) => 'pp'
trim('   apple   ') => 'apple'
trim('***apple***', '*') => 'apple'
left('banana', 2) => 'ba'
byte_length('щ') => 2
length('щ') => 1
regexp_contains('foo@example.com', r'@') => True
regexp_extract('foo@example.com', r'^[a-z]+') => 'foo'
regexp_extract('foo@example.com', r'@([a-z]+)') => 'example'
regexp_extract('abc', r'z') => None
regexp_replace('# Heading', r'^# ([a-zA-Z ]+)$', r'<h1>\\1</h1>') => '<h1>Heading</h1>'
DATE_ADD(DATE '2008-12-25', INTERVAL 5 DAY) => date 2008-12-30
DATE_SUB(DATE '2008-12-25', INTERVAL 5 DAY) => date 2008-12-20
DATE_DIFF(DATE '2010-07-07', DATE '2008-12-25', DAY) => 559
DATE_DIFF(DATE '2017-12-30', DATE '2014-12-30', YEAR) => 3
DATE_DIFF(DATE '2018-01-01', DATE '2017-10-30', MONTH) => 3
DATE_DIFF(DATE '2017-12-18', DATE '2017-12-17', ISOWEEK) => 1
DATE_TRUNC(DATE '2008-12-25', MONTH) => date 2008-12-01
DATE_TRUNC(DATE '2015-06-15', ISOWEEK) => date 2015-06-15
EXTRACT(DAY FROM DATE '2013-12-25') => 25
EXTRACT(DAYOFWEEK FROM DATE '2024-02-04') => 1
FORMAT_DATE('%b-%d-%Y', DATE '2008-12-25') => 'Dec-25-2008'
PARSE_DATE('%Y%m%d', '20081225') => date 2008-12-25
DATE(2016, 12, 25) => date 2016-12-25
LAST_DAY(DATE '2008-11-25') => date 2008-11-30
[1, 2, 3][OFFSET(0)] => !
ARRAY_LENGTH([1, 2]) => 2
DATE_TRUNC(DATE '2008-12-25', WEEK) => !
DATE_DIFF(DATE '2017-12-18', DATE '2017-12-17', WEEK) => !
SPLIT('a,b') => !
FORMAT('%d', 1) => !
GENERATE_UUID() IS NULL => False
JSON_VALUE('{}', '$.a') => !
"""

POSTGRES = """
7 / 2 => 3
-7 / 2 => -3
7.0 / 2 => dec 3.5
1.0 / 3 => dec 0.33333333333333333333
5 % 4 => 1
2 ^ 3 => 8.0
0.1 + 0.2 = 0.3 => True
2.5::INT => 3
-2.5::INT => -3
2.5::DOUBLE PRECISION::INT => 2
3.5::DOUBLE PRECISION::INT => 4
'abcdef'::VARCHAR(3) => 'abc'
12.345::NUMERIC(4, 1) => dec 12.3
'Post' || 'greSQL' => 'PostgreSQL'
concat('abcde', 2, NULL, 22) => 'abcde222'
concat_ws(',', 'abcde', 2, NULL, 22) => 'abcde,2,22'
left('abcde', 2) => 'ab'
left('abcde', -1) => 'abcd'
right('abcde', 2) => 'de'
length('jose') => 4
lpad('hi', 5, 'xy') => 'xyxhi'
lpad('hi', 4) => '  hi'
split_part('abc~@~def~@~ghi', '~@~', 2) => 'def'
strpos('high', 'ig') => 2
position('om' IN 'Thomas') => 3
substr('alphabet', 3, 2) => 'ph'
substring('Thomas' FROM 2 FOR 3) => 'hom'
substr('hello', -1, 4) => 'he'
translate('12345', '143', 'ax') => 'a2x5'
initcap('hi THOMAS') => 'Hi Thomas'
trim(BOTH 'xyz' FROM 'yxTomxx') => 'Tom'
btrim('xyxtrimyyx', 'xyz') => 'trim'
regexp_replace('Thomas', '.[mN]a.', 'M') => 'ThM'
regexp_replace('foobarbaz', 'b..', 'X') => 'fooXbaz'
regexp_replace('foobarbaz', 'b..', 'X', 'g') => 'fooXX'
regexp_match('foobarbequebaz', '(bar)(beque)') => ['bar', 'beque']
'thomas' ~ 't.*ma' => True
'thomas' ~* 'T.*ma' => True
'thomas' !~ 't.*max' => True
'abc' LIKE 'a%' => True
'a_c' LIKE 'a\\_c' => True
'abc' ILIKE 'A%' => True
date '2001-09-28' + 7 => date 2001-10-05
date '2001-10-01' - date '2001-09-28' => 3
date '2001-09-28' + interval '1 hour' => ts 2001-09-28 01:00:00
date '2001-01-31' + interval '1 month' => ts 2001-02-28 00:00:00
timestamp '2001-09-28 01:00:00' + interval '23 hours' => ts 2001-09-29 00:00:00
date_part('hour', timestamp '2001-02-16 20:38:40') => 20
date_part('dow', timestamp '2001-02-16 20:38:40') => 5
extract(doy FROM timestamp '2001-02-16 20:38:40') => 47
extract(isodow FROM timestamp '2001-02-18 20:38:40') => 7
extract(week FROM timestamp '2001-02-16 20:38:40') => 7
extract(epoch FROM timestamp '2001-02-16 20:38:40') => 982355920.0
date_trunc('hour', timestamp '2001-02-16 20:38:40') => ts 2001-02-16 20:00:00
date_trunc('year', timestamp '2001-02-16 20:38:40') => ts 2001-01-01 00:00:00
make_date(2013, 7, 15) => date 2013-07-15
to_char(timestamp '2002-04-20 17:31:12', 'HH12:MI:SS') => '05:31:12'
to_char(date '2002-04-20', 'YYYYMMDD') => '20020420'
to_date('05 12 2000', 'DD MM YYYY') => date 2000-12-05
greatest(1, NULL, 2) => 2
coalesce(NULL, 1) => 1
nullif(1, 1) => None
(ARRAY[1, 2, 3])[1] => 1
(ARRAY[1, 2, 3])[9] => None
(ARRAY[1, 2, 3])[-1] => None
array_length(ARRAY[1, 2, 3], 1) => 3
array_length(ARRAY[]::INT[], 1) => !
cardinality(ARRAY[1, 2]) => 2
1 IS NOT DISTINCT FROM NULL => False
round(42.4382, 2) => dec 42.44
round(2.5::DOUBLE PRECISION) => 2.0
trunc(42.8) => dec 42
$x$it's$x$ => "it's"
log(100.0) => 2.0
log(2.0, 64.0) => 6.0
age(timestamp '2001-04-10') => !
to_char(date '2002-04-20', 'Month') => !
to_char(12, '99') => !
extract(second FROM timestamp '2001-02-16 20:38:40') => !
'{"a": 1}'::json -> 'a' => !
regexp_replace('a', 'a', '$1') => !
'x' SIMILAR TO 'x' => !
pg_sleep(1) => !
current_setting('x') => !
5 # 3 => !
"""

TSQL = """
7 / 2 => 3
7.0 / 2 => dec 3.5
7 % 2 => 1
'a' + 'b' => 'ab'
CAST(2.9 AS INT) => 2
CAST(-2.9 AS INT) => -2
CAST('abcdef' AS VARCHAR(3)) => 'abc'
isnull(NULL, 1) => 1
iif(45 > 30, 'TRUE', 'FALSE') => 'TRUE'
len('abc  ') => 3
charindex('is', 'This is a string') => 3
substring('abcdef', 2, 3) => 'bcd'
left('abcdefg', 2) => 'ab'
concat('Happy ', 'Birthday ', 11, '/', '25') => 'Happy Birthday 11/25'
concat('a', NULL) => 'a'
replicate('0', 3) => '000'
upper('a') => 'A'
datediff(year, '2005-12-31', '2006-01-01') => 1
datediff(day, CAST('2005-12-31' AS DATE), CAST('2006-01-01' AS DATE)) => 1
datediff(month, CAST('2005-12-31' AS DATE), CAST('2006-01-01' AS DATE)) => 1
dateadd(month, 1, CAST('2024-08-31' AS DATE)) => date 2024-09-30
datepart(year, CAST('2007-10-30' AS DATE)) => 2007
year(CAST('2007-10-30' AS DATE)) => 2007
eomonth(CAST('2011-02-01' AS DATE)) => date 2011-02-28
datefromparts(2010, 12, 31) => date 2010-12-31
N'x' => 'x'
power(2, 3) => !
format(1, 'N') => !
datepart(weekday, CAST('2007-10-30' AS DATE)) => !
datediff(week, CAST('2005-12-31' AS DATE), CAST('2006-01-01' AS DATE)) => !
avg(n) FROM (SELECT 1 AS n) AS x => !
'a' LIKE '[a-z]' => !
1 + '2' => !
convert(VARCHAR(10), CAST('2007-10-30' AS DATE), 120) => !
"""

MYSQL = """
7 / 2 => dec 3.5
3 / 5 => dec 0.6
1 / 0 => None
5 DIV 2 => 2
29 % 9 => 2
5 % 0 => None
if(1 < 2, 'yes', 'no') => 'yes'
ifnull(NULL, 10) => 10
concat('My', 'S', 'QL') => 'MySQL'
concat('My', NULL, 'QL') => None
concat_ws(',', 'a', NULL, 'b') => 'a,b'
length('é') => 2
char_length('é') => 1
locate('bar', 'foobarbar') => 4
instr('foobarbar', 'bar') => 4
substring('Quadratically', 5) => 'ratically'
substring('Quadratically', 5, 6) => 'ratica'
substring_index('www.mysql.com', '.', 2) => 'www.mysql'
left('foobarbar', 5) => 'fooba'
lpad('hi', 4, '??') => '??hi'
"double" => 'double'
'it\\'s' => "it's"
datediff('2007-12-31', '2007-12-30') => 1
date_add(DATE '2018-05-01', INTERVAL 1 DAY) => date 2018-05-02
date_sub(DATE '2018-05-01', INTERVAL 1 YEAR) => date 2017-05-01
date_format(DATE '2009-10-04', '%W %M %Y') => 'Sunday October 2009'
str_to_date('01,5,2013', '%d,%m,%Y') => date 2013-05-01
dayofweek(DATE '2007-02-03') => 7
weekday(DATE '2008-02-03') => 6
last_day(DATE '2003-02-05') => date 2003-02-28
greatest(2, 0) => 2
greatest(2, NULL) => None
truncate(1.999, 1) => dec 1.9
find_in_set('b', 'a,b,c,d') => 2
CAST(1.5 AS SIGNED) => 2
'abc' REGEXP 'B' => !
week(DATE '2008-02-20') => !
json_extract('{}', '$.a') => !
"""

TRINO = """
7 / 2 => 3
7 / 2.0 => dec 3.5
CAST(1.5 AS INTEGER) => 2
if(1 < 2, 'a') => 'a'
if(1 > 2, 'a', 'b') => 'b'
concat('a', 'b') => 'ab'
'a' || 'b' => 'ab'
strpos('high', 'ig') => 2
substr('hello', 2, 3) => 'ell'
length('hello') => 5
date_trunc('month', DATE '2001-08-22') => date 2001-08-01
date_trunc('hour', TIMESTAMP '2001-08-22 03:04:05') => ts 2001-08-22 03:00:00
date_add('day', 1, DATE '2020-03-01') => date 2020-03-02
date_diff('day', DATE '2020-03-01', DATE '2020-03-02') => 1
date_format(TIMESTAMP '2022-10-20 05:10:00', '%m-%d-%Y %H') => '10-20-2022 05'
day_of_week(DATE '2024-02-04') => 7
week(DATE '2008-02-20') => 8
regexp_like('1a 2b 14m', '\\d+b') => True
regexp_extract('1a 2b 14m', '(\\d+)([a-z]+)', 2) => 'a'
regexp_replace('1a 2b 14m', '\\d+[ab] ') => '14m'
cardinality(ARRAY[1, 2]) => 2
contains(ARRAY[1, 2], 2) => True
ARRAY[1, 2][1] => 1
element_at(ARRAY[1, 2], -1) => 2
try_cast('x' AS INTEGER) => None
greatest(1, NULL) => None
log(2, 8) => 3.0
date_diff('month', DATE '2020-03-01', DATE '2020-04-02') => !
transform(ARRAY[1], x -> x + 1) => !
json_extract('{}', '$') => !
"""

OTHERS = {
    "sqlite": "7 / 2 => 3\n1 / 0 => None\niif(1, 2, 3) => 2\n'ABC' LIKE 'a%' => True\nifnull(NULL, 1) => 1\ninstr('abc', 'b') => 2\njulianday('now') => !\n",
    "oracle": "7 / 2 => dec 3.5\nnvl(NULL, 1) => 1\n'' => !\nto_char(1) => !\n",
    "clickhouse": "7 / 2 => 3.5\n1.5 + 1 => 2.5\ntoDate('2024-01-01') => !\nlength('é') => !\n",
    "redshift": "7 / 2 => 3\nlen('abc') => 3\ndatediff(day, DATE '2024-01-01', DATE '2024-01-03') => 2\nnvl(NULL, 2) => 2\navg(n) FROM (SELECT 1 AS n) AS x => !\n",
    "hive": "7 / 2 => 3.5\n1 / 0 => None\nnvl(NULL, 1) => 1\n",
    "exasol": "upper('a') => 'A'\n7 / 2 => !\n1.5 => !\n",
    "teradata": "upper('a') => 'A'\n7 / 2 => !\n",
    "starrocks": "coalesce(NULL, 1) => 1\n7 / 2 => !\n",
    "presto": "7 / 2 => 3\nstrpos('high', 'ig') => 2\n",
    "fabric": "7 / 2 => 3\nisnull(NULL, 1) => 1\n",
}

DOCUMENTED: dict[str, str] = {
    "spark": SPARK,
    "databricks": SPARK.replace("size(NULL) => None", "size(NULL) => -1"),
    "snowflake": SNOWFLAKE,
    "bigquery": BIGQUERY,
    "postgres": POSTGRES,
    "tsql": TSQL,
    "mysql": MYSQL,
    "trino": TRINO,
    **OTHERS,
}


def cases() -> list[tuple[str, str, str]]:
    """Dialect, expression and expected result."""
    found = []
    for dialect, lines in DOCUMENTED.items():
        for line in filter(None, lines.splitlines()):
            expression, _, expected = line.rpartition(" => ")
            found.append((dialect, expression, expected))
    return found
