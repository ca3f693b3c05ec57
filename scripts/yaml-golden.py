#!/usr/bin/env python3
"""Reads YAML with PyYAML's safe_load, for crates/yaml to be compared with.

    yaml-golden.py write                     writes crates/yaml/tests/golden/cases.json
    yaml-golden.py compare COMMAND COUNT SEED [FILE...]
                                             compares COUNT random texts, half of them
                                             made by changing FILEs or the cases below

COMMAND reads one JSON string (a text) a line and answers with one JSON value a line:
the example `read` of catena-yaml. Needs PyYAML 6.0.3; later ones may read differently.
"""

import datetime
import json
import pathlib
import random
import struct
import subprocess
import sys

import yaml

CASES = pathlib.Path(__file__).parent.parent / "crates/yaml/tests/golden/cases.json"

# Each word alone, as a list item, a key, a value in flow context, and quoted.
WORDS = """
yes Yes YES yEs no No NO true True TRUE tRUE false False FALSE on On ON oN off Off OFF y Y n N
~ null Null NULL nULL none None nil
0 -0 +0 1 -1 +1 12 1_000 1__0 1_ _1 00 01 010 -010 +010 08 09 0_7 0_8 0o7 0O7 0b0 0b101 -0b1 0b 0b_ 0b2 0B1
0x0 0x1F 0xff_ff -0xA +0xa 0x 0x_ 0X1 0xg 9223372036854775807 9223372036854775808 -9223372036854775809
123456789012345678901234567890 0xFFFFFFFFFFFFFFFFFFFFFFFF 1,000 1- 1+ --1 +-1 - + -- ++
0. 1. 1.0 -1.5 +1.5 .5 -.5 +.5 ._5 .5_ 1.5_0 1_0.5 1_.5 1_000.5 1e3 1E3 1e+3 1.e3 1.e+3 1.0e3 1.0e+3 1.0E-3
1.5e+400 -1.5e+400 1.5e-400 .5e+1 .5e1 1.5e+1_0 0.1 1.7976931348623157e+308 5.0e-324 123456789.123456789
.inf .Inf .INF -.inf +.inf .iNF inf Infinity -inf .nan .NaN .NAN .Nan -.nan nan NaN 1.2.3 1..2 0x1.8
190:20:30 190:20:30.15 -190:20:30 1:30 1:3 1:60 0:30 01:30 1:5:59 1:2: 1:30. 1:30.5 1_0:30.5_5 -1:30.5 1:60.5
1:30.5e+1 12:30:45 1:2:3:4:5:6:7:8:9:10 685230.15
2001-12-14 2001-1-4 2001-12-4 2001-02-29 2000-02-29 0000-01-01 0001-01-01 9999-12-31 2001-13-01 2001-00-10
2001-12-14t21:59:43.10-05:00 2001-12-14T21:59:43Z 2001-12-14T1:59:43z 2001-12-14T21:59:43.1234567+5
2001-12-14T21:59:43.Z 2001-12-14T24:00:00 2001-12-14T21:60:00 2001-12-14T21:59:60 2001-12-14T21:59:43+23:59
2001-12-14T21:59:43+24:00 2001-12-14T21:59:43-24 2001-12-14T21:59:43-00:00 2001-12-14T21:59:43+1:5
2001-12-14T21:59:43+00:99 2001-1-4T1:02:03 2001-1-4T1:2:3 12001-01-01 2001-12-14T 2001-12-14T21:59
2001-12-14T21:59:43.000001 0001-01-01T00:00:00+05:00 9999-12-31T23:59:59-05:00
<< = == <<< ! & * % @ ` | > : ? , # [ ] { } ' " !! && ** ~~ a:b a#b a,b a?b :a ?a -a a: a- 'a b' http://x.org/?a=b&c#d
é \u00e9 ∂ 💩 \ue000 a\u00a0b ---a ...a .. . $schema ${name} a[0] {a}b key=value a\\\\b !a &a *a
""".split()

SENTENCES = [
    "2001-12-14 21:59:43.10 -5", "2001-12-15 2:59:43", "2001-12-14 \t 21:59:43Z", "2001-12-14 21:59:43 Z",
    "2001-12-14  1:59:43 +01:30", "2001-12-14 21:59:43 ", "1 000", "a b", "a  b", "a - b", "a #b", "a# b", "- a",
    "? a", ": a", "on off", "null null", "0x1F 2", "1.5 .5", "a: b: c", "a 'b'", 'a "b" c', "@a", "`a`", "%a", "!a b",
    "x" * 1030,
]  # fmt: skip

DOCUMENTS = r"""
||
| |
|\n|
|# nothing|
|---|
|--- |
|---\n...|
|...|
|a\n...|
|a\n...\n...|
|--- a\n--- b|
|a\n---\nb|
|a\n---|
|---\n---|
|a\n...\nb|
|a\n...\n--- b|
|--- a\n...\n# end|
|---a|
|--- |\n a|
|--- >\n a\n b|
|--- {a: 1}|
|--- - a|
|--- a: b|
|---\na: b|
|---\ta|
|%YAML 1.1\n---\nyes|
|%YAML 1.2\n---\nyes|
|%YAML 1.3\n---\nyes|
|%YAML 2.0\n---\nyes|
|%YAML 01.1\n--- a|
|%YAML 1\n--- a|
|%YAML 1.1 # c\n--- a|
|%YAML 1.1#\n--- a|
|%YAML\t1.1\n--- a|
|%YAML 1.1\n%YAML 1.1\n--- a|
|%YAML 1.1\na|
|%YAML 1.1|
|%FOO bar baz\n--- a|
|%FOO|
|% a\n--- b|
|%TAG !e! tag:yaml.org,2002:\n--- !e!int '3'|
|%TAG ! tag:yaml.org,2002:\n--- !int '3'|
|%TAG !! tag:example.org:\n--- !!int 3|
|%TAG !e! tag:a\n%TAG !e! tag:b\n--- a|
|%TAG e tag:a\n--- a|
|%TAG !e tag:a\n--- a|
|%TAG !e! \n--- a|
|%TAG !e! tag:yaml.org,2002:in\n--- !e!t 3|
|--- !e!int 3|
|a: %b|
|a\n%b|
|a:\n%b|
|a: 1\n%YAML 1.1\n---\nb|
|a: b|
|a:b|
|a: |
|a:|
|a :b|
|a : b|
|a:  b|
|a: b: c|
|a: 'b': c|
|a:\n b|
|a:\n b: c|
|a:\n  b: 1\n c: 2|
|a:\n  b: 1\n  c: 2\nd: 3|
|a: 1\n b: 2|
| a: 1\nb: 2|
| a: 1\n b: 2|
|a:\n- b\n- c|
|a:\n- b\nc: d|
|a:\n  - b\n - c|
|a: - b|
|- a\n- b|
|-a|
|-|
|- \n- |
|- - a\n  - b\n- c|
|- a: 1\n  b: 2|
|- a: 1\n b: 2|
|- a:\n  - b|
|- a\nb: c|
|a: b\n- c|
|-\n a|
|-\n- a|
|- # c\n  a|
|a: # c\n  b|
|a: b # c|
|a: b# c|
|a: b #|
|# c\na: b|
|a: b\n  # c\n  c|
|a: b # c\n  c|
|a # c\nb|
|a\nb|
|a\n b|
|a\n\nb|
|a\n\n\n  b|
|a: b\n c|
|a: b\n\n c|
|a: b\nc|
|a: b\nc: d|
|a:\n b\n c|
|a b: c d|
|a\nb: c|
|? a\n: b|
|? a|
|? a\n? b|
|? a: 1\n: b: 2|
|? - a\n: - b|
|? [a]\n: b|
|? {a: 1}\n: b|
|? \|\n a\n: b|
|?|
|: a|
|: |
|? : a|
|a: 1\n? b\n: 2\nc: 3|
|? a\n  : b|
|?a|
|? 'a\n  b'\n: c|
|[]|
|[ ]|
|[a]|
|[a,]|
|[a, ]|
|[,]|
|[a,,b]|
|[a b]|
|[a, b|
|a]|
|[a]]|
|[a}|
|[a: b]|
|[a: b, c: d]|
|[a: ]|
|[: a]|
|[? a]|
|[? a : b]|
|[?a]|
|[a?b]|
|[a ?b]|
|[?]|
|[- a]|
|[-a]|
|[-]|
|[a, -]|
|[a:b]|
|['a':b]|
|["a":b]|
|[a:[b]]|
|[a:{b: c}]|
|[a::b]|
|[a, [b, [c]]]|
|[a\n, b]|
|[a\nb]|
|[a\n\nb]|
|[a #c\n, b]|
|[a#c, b]|
|[#c\na]|
|a: [\nb\n]|
|a: [\n  b,\n  c\n]|
|a:\n  b: [\n c\n  ]|
|a:\n  b: [\nc,\n]\n  d: e|
|a: [b\n]\n: c|
|[a]: b|
|[a]:b|
|{}|
|{ }|
|{a}|
|{a, b}|
|{a: 1}|
|{a:1}|
|{a: }|
|{a:}|
|{a :1}|
|{'a':1}|
|{"a":1}|
|{"a": 1, }|
|{,}|
|{a: 1 b: 2}|
|{: 1}|
|{? a: 1}|
|{? a : 1}|
|{? }|
|{?a: 1}|
|{a: [b], c: {d: e}}|
|{[a]: 1}|
|{{a: 1}: 2}|
|{a: b: c}|
|{a: 1|
|{a: 1]|
|{a\n: 1}|
|{a\n b: 1}|
|{a:\n1}|
|{a: http://b/c}|
|{a: b?c}|
|{a: b,c: d}|
|{a: 'b',"c": d}|
|{a: \|\n b}|
|{{}}|
|{[]}|
|{a: 1}: 2|
|{a: 1}\nb|
|[a] b|
|a: {\nb: 1\n}|
|a: {\n"x":1\n}|
|''|
|""|
|'a'|
|'a''b'|
|'a|
|'a' b|
|'a'b: c|
|'a'\tb|
|'a'\n|
|'a\nb'|
|'a\n\nb'|
|'a \n  b'|
|'\n a'|
|'a\n '|
|' a '|
|'\ta\t'|
|'a\t\n\tb'|
|'a\n---\nb'|
|'a\n--- b'|
|'a\n---b'|
|'a\n...\n'|
|'a\\nb'|
|'a"b'|
|"a'b"|
|"a|
|"\\n\\t\\r\\0\\a\\b\\v\\f\\e\\\\\\"\\/\\ \\N\\_\\L\\P"|
|"\\x41\\u00e9\\U0001F4A9"|
|"\\x4"|
|"\\u12"|
|"\\xg1"|
|"\\U00110000"|
|"\\q"|
|"\\'"|
|"\\"|
|"a\\\n b"|
|"a\\\n\n b"|
|"a \\\n  \\ b"|
|"a\nb"|
|"a \n \n b"|
|"a\\	b"|
|k: "a\n b"|
|k:\n  j: "a\nb"|
|k:\n  j: 'a\n\nb'\n  l: m|
|"a\nb": c|
|"a": b|
|"a":b|
|'a':b|
|\|\n a|
|\|\n a\n|
|\|\n a\n\n|
|\|\na|
|\|\na\nb: c|
|\|-\n a\n\n|
|\|+\n a\n\n|
|\|+\n\n|
|\|+|
|\||
|\|-|
|\|\n|
|\|\n\n a|
|\|\n  \n a|
|\|\n \n  a|
|\|\n a\n  b\n c|
|\|\n  a\n b|
|\|1\n  a|
|\|2\n  a|
|\|2\n a|
|\|9\n a|
|\|0\n a|
|\|10\n a|
|\|+1\n  a\n|
|\|1+\n  a\n|
|\|-2\n   a\n|
|\|+-\n a|
|\|11\n a|
|\|a\n b|
|\| a\n b|
|\| # c\n a|
|\|# c\n a|
|\|\t\n a|
|\|\n\ta|
|\|\n a\n\tb|
|\|\n a\tb|
|\|\n a \n|
|\|\n # a\n|
|\|\n a\n# c\n|
|\|\n a\n # c\n|
|\|\n a\n---\nb|
|\|\n a\n...|
|\|\n a\n   |
|\|\n a\n |
|\|+\n a\n |
|\|+\n a\n  \n |
|a: \|\n  b\n  c\nd: e|
|a: \|\nb: c|
|a: \|+\n\nb: c|
|a: \|+\n b\n\n\nc: d|
|a: \|2\n    b\n   c|
|- \|\n a\n- \|\n  b|
|- \|1\n  a|
|-   \|\n a|
|a:\n- \|\n  b\n   \n|
|a:\n- \|\n b|
|a:\n  b: \|\n   c\n  d: e|
|a: \|\n  b: c\n  - d\n  # e\n|
|>\n a\n b|
|>\n a\n\n b|
|>\n a\n\n\n b|
|>\n a\n  b\n c|
|>\n a\n\n  b\n\n c\n|
|>\n  a\n b|
|>-\n a\n b\n\n|
|>+\n a\n b\n\n|
|>\n a\n \tb\n c|
|>\n\n a\n b|
|>\n   \n a|
|>2\n   a\n  b|
|>1-\n a|
|> a|
|a: >\n b\n c\n\nd: e|
|a: >-\n b\n  - c\n d|
|\|\n a\r\n b\r\n|
|a: b\r\nc: d\r\n|
|a\rb|
|- a\r- b|
|a\u0085b|
|- a\u0085- b|
|a\u2028b|
|a\u2028\u2028b|
|a\n\u2028b|
|a\u2029 b|
|- a\u2028- b|
|'a\u0085b'|
|'a\u2028b'|
|'a\n\u2028b'|
|"a\\\u2028b"|
|\|\n a\u0085 b|
|\|\n a\u2028 b|
|>\n a\u0085 b|
|>\n a\u2028 b|
|>\n a\u2029\n b|
|# c\u0085a: b|
|# c\u2028a: b|
|a: b # c\u2029c: d|
|\ufeffa: b|
|\ufeff|
|\ufeff--- a|
|\ufeff%YAML 1.1\n--- a|
|a\ufeff|
|a: \ufeffb|
|- a\n\ufeff- b|
|\n\ufeffa: b|
|\ufeff\ufeffa|
|a\n\ufeff---\nb|
|a\u0000|
|a\u0007|
|'\u0001'|
|a\u007f|
|a\u0080b|
|a\u009fb|
|a\ufffeb|
|a\uffffb|
|# \u0007|
|a\u00a0: b|
|\u00a0a: b|
|a:\u00a0b|
|-\u00a0a|
|\ta: b|
|a:\tb|
|a\t: b|
|a: b\t|
|a: b\tc|
|a: b \tc|
|a:\n\tb|
|a:\n \tb|
|a: b\n\tc|
|a: b\n\t|
|\t|
|\n\t\n|
|a: b\n\t# c|
|a: b # c\t|
|-\ta|
|- a\n-\tb|
|-\t|
|?\ta|
|[a,\tb]|
|[\ta]|
|[a\t]|
|{a:\tb}|
|{\n\ta: b}|
|'a\tb'|
|"a\tb"|
|'a':\tb|
|'a'\t: b|
|&a a|
|&a|
|- &a a\n- *a|
|- &a\n- *a|
|- &a [b]\n- *a|
|- &a {b: c}\n- *a|
|a: &x 1\nb: *x|
|*a|
|- *a\n- &a b|
|- &a b\n- &a c|
|- &a &b c|
|- &a b\n- *a c|
|- &a b\n- *a : c|
|&a b: *a|
|&a a: &b b|
|{&a b: c, *a : d}|
|{&a b: c, *a: d}|
|- &a b\n- {*a : c}|
|- &a-b_1 c\n- *a-b_1|
|- &a.b c|
|- &é c|
|- & c|
|- * c|
|- &a, b|
|[&a, *a]|
|[&a a, *a, *a]|
|[&a a, *a]|
|[&a ,b]|
|- &a\n  b: c\n- *a|
|&a\nb: c|
|&a - b|
|&a\n- b|
|- &a\n - b|
|- &a !!str b\n- *a|
|- !!str &a b\n- *a|
|- !!str !!int b|
|- &a \|\n  b\n- *a|
|a: &a\nb: *a|
|- &1 a\n- *1|
|*a : b|
|&a [*b, &b c]|
|!!str 1|
|!!str|
|!!str ''|
|!!str [a]|
|!!str {a: b}|
|!!str yes|
|!!str ~|
|!!str\na|
|!!str\n- a|
|!!int 1|
|!!int '1'|
|!!int "0x1F"|
|!!int 1.5|
|!!int|
|!!int ''|
|!!int a|
|!!int '_'|
|!!int '-'|
|!!int ' 12 '|
|!!int '0o17'|
|!!int '0b0b1'|
|!!int '08'|
|!!int '1:90'|
|!!int '0:30'|
|!!int '1: 30'|
|!!int '+-3'|
|!!int '- 3'|
|!!int 1e3|
|!!int [1]|
|!!float 1|
|!!float '1.5'|
|!!float 1e3|
|!!float ''|
|!!float a|
|!!float infinity|
|!!float NaN|
|!!float '-.inf'|
|!!float '+.nan'|
|!!float ' 1 '|
|!!float '1_0'|
|!!float '-+1'|
|!!float '1:30'|
|!!float '1:1e1'|
|!!float '1:a'|
|!!float '0x10'|
|!!float '.'|
|!!float '1.'|
|!!float '.5'|
|!!float '5.e3'|
|!!float '1e400'|
|!!bool yes|
|!!bool 'YeS'|
|!!bool y|
|!!bool 1|
|!!bool ''|
|!!bool|
|!!bool [a]|
|!!null a|
|!!null|
|!!null []|
|!!null {a: b}|
|!!timestamp 2001-12-14|
|!!timestamp '2001-1-4'|
|!!timestamp "2001-12-14\\n"|
|!!timestamp a|
|!!timestamp ''|
|!!timestamp [a]|
|!!timestamp 2001-12-14 1:2:3|
|!!binary YWJj|
|!!binary YWI=|
|!!binary YQ==|
|!!binary YQ=|
|!!binary YQ|
|!!binary Y|
|!!binary 'YW Jj'|
|!!binary 'YW*Jj'|
|!!binary 'YQ==YWJj'|
|!!binary 'YQ=YQ='|
|!!binary '===='|
|!!binary 'Y=Q='|
|!!binary é|
|!!binary ''|
|!!binary|
|!!binary \|\n YWJj\n ZGVm\n|
|!!binary [a]|
|!!seq [a]|
|!!seq a|
|!!seq {a: b}|
|!!seq|
|!!map {a: b}|
|!!map [a]|
|!!map a|
|!!set {a, b, a}|
|!!set {a: 1, b: 2}|
|!!set\n? a\n? b|
|!!set [a]|
|!!set a|
|!!set {}|
|!!set {[a]}|
|!!set {1, 1.0, true}|
|!!set {<<: {a: 1}, b}|
|!!set {a: !foo b}|
|- !!set {!!set {a}: b}|
|!!omap [a: 1, b: 2]|
|!!omap\n- a: 1\n- a: 2|
|!!omap [{a: 1, b: 2}]|
|!!omap [a]|
|!!omap [{}]|
|!!omap {a: 1}|
|!!omap []|
|!!omap [[a]: 1]|
|!!omap [<<: {a: 1}]|
|!!omap [=: 1]|
|!!omap [!foo {a: 1}]|
|!!omap a|
|!!pairs [a: 1, a: 2]|
|!!pairs [[a, b]]|
|!!pairs [{a: {b: c}}]|
|!!pairs {a: 1}|
|!!pairs []|
|!foo a|
|!foo|
|!foo [a]|
|!foo {a: b}|
|!!foo a|
|!!python/name:os.system a|
|!!python/object/apply:os.system [a]|
|!!python/tuple [a]|
|!<tag:yaml.org,2002:str> 1|
|!<tag:yaml.org,2002:int> '1'|
|!<!foo> a|
|!<!> 1|
|!<> a|
|!<a b|
|!<tag:yaml.org,2002:str>a|
|!!%73tr 1|
|!!%s 1|
|!!st%C3%A9 1|
|!!%ff 1|
|! 1|
|! '1'|
|! "yes"|
|! ''|
|!|
|! [a]|
|! {a: b}|
|! "12\\n"|
|! "yes\\n"|
|! "~\\n"|
|! "\\n"|
|! "12\\n\\n"|
|! ".inf\\n"|
|! "<<"|
|! "!"|
|{! "!": a}|
|{&a =: 1}|
|<<: !!value {a: 1}|
|{!!value a: b}|
|{!!value [a]: b}|
|!!value [a]|
|x: {y: &m {=: 1}}\nz: !!omap [*m]|
|x: {y: &m {<<: {}, a: 1}}\nz: !!omap [*m]|
|- &m {=: 1}\n- {<<: *m}\n- *m|
|! "2001-12-14\\n"|
|{! "<<": {a: 1}}|
|!!str\t1|
|!!str,1|
|[!!str, a]|
|[!!str a, !!int '1']|
|[!!str ]|
|{!!str : a}|
|{!!int 1: a, !!str 1: b}|
|a: !!str\nb: !!int 3|
|a: !!map\n  b: c|
|a: !!seq\n- b|
|a: !!str \|\n  1|
|!!merge a|
|!!value a|
|!!yaml a|
|!a!b c|
|!!!a b|
|!a!|
|!!|
|!! a|
|<<|
|[<<]|
|a: <<|
|=|
|[=]|
|a: =|
|=: a|
|{=: a, =: b}|
|'=': a|
|<<: {a: 1}|
|<<: {a: 1}\nb: 2|
|<<: {a: 1}\na: 2|
|a: 2\n<<: {a: 1}|
|<<: [{a: 1}, {a: 2, b: 3}]|
|<<: []|
|<<: [{}]|
|<<: {}|
|<<: a|
|<<: ~|
|<<: [a]|
|<<: [[{a: 1}]]|
|<<:|
|<<: {a: 1}\n<<: {a: 2, b: 3}|
|<<: {<<: {a: 1}, b: 2}|
|<<: {<<: {a: 1}, a: 2}|
|<<: [{<<: [{a: 1}, {b: 2}]}, {b: 3}]|
|x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}|
|x: &x {a: 1}\ny: &y {<<: *x, b: 2}\nz: {<<: *y, c: 3}|
|x: &x {a: 1}\ny: &y {a: 2}\nz: {<<: [*x, *y]}|
|x: &x {a: 1}\ny: &y {<<: *x}\nz: [*y, {<<: *y}, {<<: [*x, *y]}]|
|x: &x {<<: {a: 1}, b: 2}\ny: !!pairs [{<<: *x}]|
|'<<': {a: 1}|
|"<<": {a: 1}|
|!!str <<: {a: 1}|
|!!merge x: {a: 1}|
|!!merge '<<': {a: 1}|
|<<: !foo {a: 1}|
|<<: !!set {a, b}|
|<<: !foo [{a: 1}]|
|<<: {a: !foo b}|
|<<: {[a]: b}|
|<<: &x {a: 1}\nb: *x|
|? <<\n: {a: 1}|
|- <<: {a: 1}|
|<<: {=: 1}|
|<<: {1: a}\n1.0: b|
|a: 1\na: 2|
|a: 1\nb: 2\na: 3|
|{a: 1, a: 2}|
|{a: 1, 'a': 2}|
|{1: a, 1: b}|
|{1: a, 1.0: b}|
|{1: a, true: b, yes: c}|
|{1: a, 0x1: b, 01: c}|
|{0: a, false: b, -0.0: c}|
|{~: a, null: b, : c}|
|{1: a, '1': b}|
|{.inf: a, .INF: b, -.inf: c}|
|{100000000000000000000: a, 1.0e+20: b}|
|{1.5: a, 1.50: b}|
|{9007199254740993: a, 9007199254740992.0: b}|
|{2001-12-14: a, 2001-12-14: b}|
|{2001-12-14: a, 2001-12-14 00:00:00: b}|
|{? 2001-12-14T21:59:43-05:00 : a, ? 2001-12-15T02:59:43Z : b}|
|{? 2001-12-14T21:59:43 : a, ? 2001-12-14T21:59:43Z : b}|
|{!!binary YQ==: a, !!binary 'YQ= =': b, a: c}|
|{a: !foo 1, a: 2}|
|{yes: a, no: b}|
|on: push|
|1: a|
|1.5: a|
|~: a|
|: a\nb: c|
|2001-12-14: a|
|[a, b]: c|
|? [a]|
|? !!set {a}|
|? !!omap []|
|!!binary YQ==: a|
|'': a|
|a: [b: c, d]|
|a:\n  - b:\n      - c: d\n        e: f\n    g: h|
|version: 1\ntasks:\n  $map: [1, 2]\n  each(x):\n    $if: 'x > 1'\n    then: {$eval: x}|
|scopes:\n  - assume:repo:github.com/${owner}/${name}:branch:main\n  - "a:*"|
|command:\n  - >-\n    a &&\n    b\n  - - c\n    - d|
|a: &x\n  b: 1\nc:\n  <<: *x\n  d: 2|
|a: 'it''s'|
|a: b c d e f\n   g h\n   i|
|a: "b\n\n\n   c"|
|- - - - a|
|- - - a\n    - b\n  - c|
|- ? a\n  : b|
|- : a|
|a:\n\n\n  b|
|a:\n# c\n  b|
|a:\n  # c\n  b: c|
|\n\n\na|
|   a|
|   - a\n   - b|
|  a: b\n  c: d|
|a: b\n...\n|
|a: b\n... # c|
|a: b\n...c|
|a: b\n ...|
|a: b\n ---|
|- ---|
|- --- a|
|[---]|
|[\n---\n]|
|[\n...\n]|
|a: ---|
|a: ...|
""".strip("\n").split("\n")  # noqa: E501

# PyYAML reads these and we refuse them: the reading could not be kept without a change.
REFUSED = {
    "a recursive value": ["&a [*a]", "&a {b: *a}", "&a {<<: *a, b: 1}", "- &a [[*a]]"],
    "a lone surrogate": ['"\\ud800"', '"\\uD83D\\uDCA9"'],
    "not-a-number twice as a key": ["{.nan: 1, .NaN: 2}", "{!!float nan: 1, .nan: 1}"],
    "an alias of the key '='": ["{x: {&a =: 1}, y: {z: {? *a : 2}}}"],
    "a mapping that stands for a scalar": ["!!str {=: a}", "!!int {=: '1'}"],
    "digits and spaces beyond ASCII in a number": ["!!int '٣'", "!!float '٣'", "!!int '\u00a03'"],
    "a number too long": ["0x" + "f" * 5000, "1." + "0" * 5000],
    "too many parts in a sexagesimal float": ["1:" * 13 + "1.5"],
}

BYTES = [
    b"a: b", b"\xef\xbb\xbfa: b", "é".encode(), b"\xff\xfe" + "a: é".encode("utf-16-le"),
    b"\xfe\xff" + "a: 💩".encode("utf-16-be"), b"\xff\xfea", b"\xff\xfe\x00\xd8", b"\xff", b"\xc3", b"\xed\xa0\x80",
    b"\xc0\x80", b"\xf4\x90\x80\x80", b"", b"\xff\xfe", b"a\x00", "a".encode("utf-16-le"), b"\xef\xbb\xbf",
]  # fmt: skip


def inputs():
    for line in DOCUMENTS:
        # The bars show where a text ends; a bar inside of it is escaped.
        yield unescape(line[1:-1])
    for word in [unescape(word) for word in WORDS] + SENTENCES:
        yield word
        yield f"- {word}"
        yield f"{word}: a"
        yield f"a: {word}\n"
        yield f"[{word}, {word}]"
        yield f"'{word}'"
        yield f'- "{word}"'


def unescape(text):
    out, at = [], 0
    while at < len(text):
        c = text[at]
        if c != "\\":
            out.append(c)
            at += 1
            continue
        kind = text[at + 1]
        if kind == "u":
            out.append(chr(int(text[at + 2 : at + 6], 16)))
            at += 6
        else:
            out.append({"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "|": "|"}[kind])
            at += 2
    return "".join(out)


def encode(value):
    """A value in JSON, with its Python type."""
    if value is None:
        return ["null"]
    if isinstance(value, bool):
        return ["bool", value]
    if isinstance(value, int):
        return ["int", hex(value)]
    if isinstance(value, float):
        return ["float", "nan" if value != value else struct.pack(">d", value).hex()]
    if isinstance(value, str):
        return ["str", value]
    if isinstance(value, bytes):
        return ["bytes", value.hex()]
    if isinstance(value, (datetime.date, datetime.datetime)):
        return ["time", value.isoformat()]
    if isinstance(value, set):
        return ["set", sorted((encode(item) for item in value), key=compact)]
    if isinstance(value, dict):
        return ["map", [[encode(key), encode(item)] for key, item in value.items()]]
    if value and isinstance(value[0], tuple):
        return ["pairs", [[encode(key), encode(item)] for key, item in value]]
    return ["list", [encode(item) for item in value]]


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def load(text):
    """What safe_load makes of a text, or nothing when it raises anything at all."""
    try:
        return encode(yaml.safe_load(text))
    except RecursionError:
        return ["recursion"]
    except Exception:  # noqa: BLE001: PyYAML lets ValueError, KeyError and others through
        return None


def write():
    cases = []
    for text in dict.fromkeys(inputs()):
        cases.append({"text": text, "value": load(text)})
    for raw in BYTES:
        cases.append({"bytes": raw.hex(), "value": load(raw)})
    for why, texts in REFUSED.items():
        for text in texts:
            yaml.safe_load(text)
            cases.append({"text": text, "refused": why})
    CASES.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases)
    CASES.write_text(f"[\n{lines}\n]\n")
    read = sum(case.get("value") is not None for case in cases)
    print(f"{len(cases)} cases, {read} of them read")


PIECES = [
    "a", "b", "c", "a: ", "b: ", "- ", "? ", ": ", ":", "-", "?", "\n", "\n", "\n", "\n  ", "\n ", " ", "  ", "\t",
    "[", "]", "{", "}", ", ", ",", "#", " # c", "'", '"', "|", ">", "|-\n ", ">+\n  ", "|2\n", "&a ", "*a", "*a ",
    "&b ", "*b", "!!str ", "!!int ", "!!set ", "!!omap ", "!!binary ", "! ", "!foo ", "!<", "%", "@", "`", "\\", "\\n",
    "\\x41", "\\\n", "---", "--- ", "...", "\n---\n", "\n...\n", "%YAML 1.1\n", "<<: ", "<<", "=", "=: ", "~", "yes",
    "012", "1_0", "0x1f", "1:30", "1.5", "1e3", ".inf", "2001-12-14", "null", "\r\n", "\r", "\u0085", "\u2028",
    "\ufeff", "\u00a0", "é", "💩", "a b", "a\n b", "x: y", "- x", "''", '""', "'a'", '"b"', "[a]", "{a: b}", "\n\n",
]  # fmt: skip


def random_text(rng):
    """A text put together from pieces; half of them with lines of little indentation."""
    if rng.random() < 0.5:
        return "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 14)))
    lines = []
    for _ in range(rng.randint(1, 7)):
        lines.append(" " * rng.choice([0, 0, 0, 1, 2, 2, 4]) + "".join(rng.choice(PIECES) for _ in range(rng.randint(0, 5))))
    return "\n".join(lines)


def changed_text(rng, texts):
    text = rng.choice(texts)
    if len(text) > 400:
        lines = text.splitlines(keepends=True)
        start = rng.randrange(len(lines))
        text = "".join(lines[start : start + rng.randint(2, 25)])
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, len(text))
        choice = rng.random()
        if choice < 0.4:
            text = text[:at] + rng.choice(PIECES) + text[at:]
        elif choice < 0.7:
            text = text[:at] + text[at + rng.randint(1, 4) :]
        elif choice < 0.85:
            text = text[:at] + rng.choice(PIECES) + text[at + 1 :]
        else:
            other = rng.choice(texts)[:200]
            text = text[:at] + other + text[at:]
    return text


def compare(command, count, seed, files):
    rng = random.Random(seed)
    texts = list(dict.fromkeys(inputs())) + [pathlib.Path(file).read_text() for file in files]
    cases = [random_text(rng) if at % 2 else changed_text(rng, texts) for at in range(count)]
    # A surrogate in a text is not YAML for either of the two.
    sent = "".join(json.dumps(text) + "\n" for text in cases)
    answers = subprocess.run([command], input=sent.encode(), stdout=subprocess.PIPE, check=True).stdout.splitlines()
    if len(answers) != len(cases):
        sys.exit(f"{len(answers)} answers for {len(cases)} texts")
    read = refused = wrong = 0
    for text, answer in zip(cases, answers):
        expected, answer = load(text), json.loads(answer)
        read += expected is not None
        if expected == answer:
            continue
        if answer is None:
            refused += 1
            print("refused:", json.dumps(text))
        else:
            wrong += 1
            print("READ DIFFERENTLY:", json.dumps(text), json.dumps(expected), json.dumps(answer))
    print(f"{count} texts, PyYAML reads {read}; {wrong} read differently, {refused} refused here alone")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        write()
    elif sys.argv[1:2] == ["compare"] and len(sys.argv) >= 5:
        compare(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])
    else:
        sys.exit(__doc__)
