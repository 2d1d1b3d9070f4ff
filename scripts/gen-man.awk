# SPDX-License-Identifier: GPL-2.0-or-later
#
# Reads rows (*.def, and the flags of settings.c) into arrays, then copies the page, replacing
# its "rows:" comments by tables. POSIX awk.

# ---- reading rows ----

# Splits what stands between the outermost parentheses of a row into arg[1..n].
function split_row(s,    i, c, depth, quoted, n) {
	sub(/^[^(]*\(/, "", s)
	n = 1
	arg[1] = ""
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (quoted) {
			if (c == "\\") {
				arg[n] = arg[n] c substr(s, ++i, 1)
				continue
			}
			if (c == "\"")
				quoted = 0
		} else if (c == "\"") {
			quoted = 1
		} else if (c == "(") {
			depth++
		} else if (c == ")") {
			if (!depth--)
				return n
		} else if (c == "," && !depth) {
			arg[++n] = ""
			continue
		}
		arg[n] = arg[n] c
	}
	fail("row does not end on its line")
}

function fail(why) {
	printf "%s:%d: %s\n", FILENAME, FNR, why > "/dev/stderr"
	failed = 1
	exit 1
}

function want(n, expected) {
	if (n != expected)
		fail("expected " expected " columns, found " n)
}

function trim(s) {
	gsub(/^[ \t]+|[ \t]+$/, "", s)
	return s
}

# The text of a C string literal, or of several side by side.
function literal(s) {
	s = trim(s)
	gsub(/"[ \t]+"/, "", s)
	sub(/^"/, "", s)
	sub(/"$/, "", s)
	gsub(/\\"/, "\"", s)
	gsub(/\\\\/, "\\", s)
	return s
}

# What stands between the parentheses of NAME(...) in s; "" when there is none.
function inside(s, name,    at) {
	at = index(s, name "(")
	if (!at)
		return ""
	s = substr(s, at + length(name) + 1)
	sub(/\)[^)]*$/, "", s)
	return s
}

FILENAME ~ /verbs\.def$/ && /^VERB\(/ {
	want(split_row($0), 3)
	verb[++verbs] = trim(arg[1])
	gsub(/_/, "-", verb[verbs])
	verb_usage[verbs] = literal(arg[2])
	verb_doc[verbs] = literal(arg[3])
}

FILENAME ~ /options\.def$/ && /^OPTION\(/ {
	want(split_row($0), 6)
	option[++options] = literal(arg[1])
	option_letter[options] = arg[2] ~ /'/ ? substr(trim(arg[2]), 2, 1) : ""
	option_kind[options] = trim(arg[3])
	option_verbs[options] = literal(arg[5])
	option_doc[options] = literal(arg[6])
}

FILENAME ~ /settings\.c$/ && /^\t\{ "--/ {
	split($0, word, "\"")
	flag[++flags] = word[2]
	flag_key[flags] = word[4]
	flag_value[flags] = word[6]
}

FILENAME ~ /kinds\.def$/ && /^KIND\(/ {
	want(split_row($0), 9)
	kind_type[++kinds] = trim(arg[2])
	kind_api[kinds] = literal(arg[3])
	kind_name[kinds] = literal(arg[4])
	kind_plural[kinds] = literal(arg[5])
	kind_short[kinds] = literal(arg[7])
	kind_namespaced[kinds] = trim(arg[8])
	kind_use[kinds] = trim(arg[9])
}

FILENAME ~ /enums\.def$/ && /^ENUM\(/ {
	words = ""
	line = $0
	match(line, /^ENUM\([a-z0-9_]+/)
	name = substr(line, 6, RLENGTH - 5)
	while (match(line, /"[^"]*"/)) {
		words = words (words == "" ? "" : ", ") substr(line, RSTART + 1, RLENGTH - 2)
		line = substr(line, RSTART + RLENGTH)
	}
	enum_words[name] = words
}

FILENAME ~ /\.def$/ && /^TYPE\(/ {
	want(split_row($0), 3)
	type_doc[trim(arg[1])] = literal(arg[3])
}

FILENAME ~ /\.def$/ && /^\tFIELD\(/ {
	want(split_row($0), 9)
	t = trim(arg[1])
	n = ++type_fields[t]
	f_kind[t, n] = trim(arg[2])
	f_sub[t, n] = trim(arg[3])
	f_key[t, n] = literal(arg[5])
	f_presence[t, n] = trim(arg[6])
	f_effect[t, n] = trim(arg[7])
	f_range[t, n] = trim(arg[8])
	f_doc[t, n] = literal(arg[9])
}

FILENAME ~ /\.(def|c)$/ { next }

# ---- writing roff ----

# Plain text as roff shows it: no escapes, no requests, no typographic quotes or hyphens.
function roff(s) {
	gsub(/\\/, "\\\\e", s)
	gsub(/-/, "\\\\-", s)
	gsub(/'/, "\\\\(aq", s)
	gsub(/\^/, "\\\\(ha", s)
	gsub(/~/, "\\\\(ti", s)
	if (s ~ /^\./)
		s = "\\&" s
	return s
}

function heading(title) {
	printf ".SS %s\n", roff(title)
}

function put_verbs(    i) {
	for (i = 1; i <= verbs; i++)
		printf ".TP\n\\fB%s\\fR %s\n%s\n", roff(verb[i]), roff(verb_usage[i]), roff(verb_doc[i])
}

function put_option(o,    value) {
	value = option_kind[o] ~ /^(FLAG|UNLESS)$/ ? "" : option_kind[o] == "MAYBE" ? "[=\\fIN\\fR]" : \
		option_kind[o] == "FILES" ? " \\fIFILE\\fR" : " \\fIVALUE\\fR"
	printf ".TP\n%s\\fB\\-\\-%s\\fR%s\n%s\n", \
		option_letter[o] == "" ? "" : "\\fB\\-" option_letter[o] "\\fR, ", \
		roff(option[o]), value, roff(option_doc[o])
}

function put_options(    o, of) {
	heading("Of every verb")
	for (o = 1; o <= options; o++)
		if (option_verbs[o] == "*")
			put_option(o)
	heading("Of some verbs")
	for (o = 1; o <= options; o++) {
		if (option_verbs[o] == "*")
			continue
		put_option(o)
		of = option_verbs[o]
		gsub(/ /, ", ", of)
		printf "(%s)\n", of
	}
}

function field_number(t, key,    n) {
	for (n = 1; n <= type_fields[t]; n++)
		if (f_key[t, n] == key)
			return n
	fail("no field " key " in " t)
}

function put_flags(    i, n, dflt) {
	for (i = 1; i <= flags; i++) {
		n = field_number("settings", flag_key[i])
		dflt = literal(inside(f_presence["settings", n], "DEF"))
		printf ".TP\n\\fB%s\\fR \\fI%s\\fR\n%s\n", roff(flag[i]), roff(flag_value[i]), \
			roff(f_doc["settings", n])
		if (dflt != "")
			printf "Default: %s.\n", roff(dflt)
	}
}

function kind_words(t, n,    k) {
	k = f_kind[t, n]
	if (k == "ENUM")
		return "one of " enum_words[f_sub[t, n]]
	return kind_text[k]
}

function facts(t, n,    s, d, r, e) {
	s = kind_words(t, n)
	if (s == "")
		fail("unknown kind of row " f_kind[t, n])
	if (f_presence[t, n] ~ /^REQ/)
		s = s "; required"
	d = literal(inside(f_presence[t, n], "DEF"))
	if (f_presence[t, n] ~ /^DEF/)
		s = s "; default " (d == "" ? "empty" : d)
	d = literal(inside(f_presence[t, n], "KEY"))
	if (d != "")
		s = s "; elements are told apart by " d
	r = inside(f_range[t, n], "RANGE")
	if (r != "") {
		split(r, word, ",")
		s = s "; " bound(trim(word[1])) " to " bound(trim(word[2]))
	}
	e = t ~ /settings$|^image_policy$/ ? "" : effect_text[f_effect[t, n]]
	return e == "" ? s : s "; " e
}

function bound(s) {
	return s == "INT32_MAX" ? "2147483647" : s == "INT64_MAX" ? "9223372036854775807" : s
}

function has_sub(t, n) {
	return f_kind[t, n] ~ /^(OBJ|INLINE|LIST)$/
}

function put_settings() {
	put_settings_of("settings")
}
# A group of settings follows the row that names it.
function put_settings_of(t,    n) {
	for (n = 1; n <= type_fields[t]; n++) {
		put_field(t, n)
		if (!has_sub(t, n))
			continue
		print ".RS"
		put_settings_of(f_sub[t, n])
		print ".RE"
	}
}

function put_field(t, n) {
	printf ".TP\n.B %s\n%s\n.br\n(%s)\n", roff(f_key[t, n]), roff(f_doc[t, n]), roff(facts(t, n))
}

# Does something act on objects of kind k?
function in_use(k) {
	return kind_use[k] ~ /^(ACTED|SHARED)$/
}

function put_kind(k) {
	printf ".TP\n.B %s\n%s\n%s, %s\n", roff(kind_name[k]), roff(type_doc[kind_type[k]]), \
		"(" kind_api[k], kind_namespaced[k] == "true" ? "in a namespace)" : "in no namespace)"
}

function put_kinds(    k) {
	heading("Acted on")
	for (k = 1; k <= kinds; k++)
		if (in_use(k))
			put_kind(k)
	heading("Kept")
	print "Checked, planned and shown; nothing acts on them yet, and a warning says so."
	for (k = 1; k <= kinds; k++)
		if (kind_use[k] == "KEPT")
			put_kind(k)
}

# Fields of a type and of those below it, each type once: n_of["acted"], ["warned"], ...
function count_type(t, below,    n, p) {
	if ((t, below) in counted)
		return
	counted[t, below] = 1
	for (n = 1; n <= type_fields[t]; n++) {
		p = f_presence[t, n]
		if (p ~ /^SERVER/) {
			n_of["server"]++
			continue
		}
		if (p ~ /^REFUSED/)
			n_of["refused"]++
		else if (p ~ /^NOTED/)
			n_of["warned"]++
		else
			n_of[below]++
		if (has_sub(t, n) && p !~ /^REFUSED/)
			count_type(f_sub[t, n], p ~ /^NOTED/ ? "below" : below)
	}
}

function put_support(    k) {
	print ".nf\n.ft CW"
	printf "%-24s %9s %9s %7s %8s\n", "", "acted on", "accepted", "warned", "refused"
	for (k = 1; k <= kinds; k++) {
		if (kind_use[k] == "MADE")
			continue
		split("", counted)
		split("", n_of)
		count_type(kind_type[k], in_use(k) ? "acted" : "below")
		printf "%-24s %9d %9d %7d %8d\n", kind_name[k], n_of["acted"], n_of["below"], \
			n_of["warned"], n_of["refused"]
	}
	print ".ft\n.fi"
}

# One line that names the fields of a type that have this presence.
function put_names(t, presence, lead,    n, s) {
	for (n = 1; n <= type_fields[t]; n++)
		if (f_presence[t, n] ~ presence)
			s = s (s == "" ? "" : ", ") f_key[t, n]
	if (s != "")
		printf ".PP\n%s %s.\n", lead, roff(s)
}

function acted_on(t, n) {
	return f_presence[t, n] !~ /^(SERVER|NOTED|REFUSED)/
}

# A type at the path where it is met first, then the types of its fields.
function put_type(t, path,    n, sub_path) {
	if (t in shown)
		return
	shown[t] = path
	heading(path)
	print roff(type_doc[t])
	for (n = 1; n <= type_fields[t]; n++) {
		if (!acted_on(t, n))
			continue
		put_field(t, n)
		if (has_sub(t, n) && (f_sub[t, n] in shown))
			printf "See %s.\n", roff(shown[f_sub[t, n]])
	}
	put_names(t, "NOTED", "Known to Kubernetes, not acted on, reported by a warning:")
	put_names(t, "REFUSED", "Known to Kubernetes, refused because ignoring them would not do what they say:")
	put_names(t, "SERVER", "Set by orchd; ignored in a manifest:")
	for (n = 1; n <= type_fields[t]; n++) {
		if (!acted_on(t, n) || !has_sub(t, n))
			continue
		sub_path = path "." f_key[t, n] (f_kind[t, n] == "LIST" ? "[]" : "")
		put_type(f_sub[t, n], sub_path)
	}
}

# A type in one paragraph, then the types of its fields.
function put_compact(t, path,    n, s) {
	if (t in shown)
		return
	shown[t] = path
	for (n = 1; n <= type_fields[t]; n++)
		if (f_presence[t, n] !~ /^SERVER/)
			s = s (s == "" ? "" : ", ") f_key[t, n] \
				(f_presence[t, n] ~ /^REQ/ ? " (required)" : "")
	printf ".TP\n.B %s\n%s\n", roff(path), roff(type_doc[t])
	if (s != "")
		printf "Fields: %s.\n", roff(s)
	for (n = 1; n <= type_fields[t]; n++)
		if (f_presence[t, n] !~ /^SERVER/ && has_sub(t, n))
			put_compact(f_sub[t, n], path "." f_key[t, n] (f_kind[t, n] == "LIST" ? "[]" : ""))
}

function put_fields(    k) {
	shown["meta"] = "metadata"
	for (k = 1; k <= kinds; k++)
		if (in_use(k))
			put_type(kind_type[k], kind_name[k])
	delete shown["meta"]
	put_type("meta", "metadata")
	heading("Fields of kinds that are kept")
	for (k = 1; k <= kinds; k++)
		if (kind_use[k] == "KEPT")
			put_compact(kind_type[k], kind_name[k])
}

function tables() {
	kind_text["BOOL"] = "true or false"
	kind_text["I32"] = kind_text["I64"] = "number"
	kind_text["STR"] = "text"
	kind_text["QTY"] = "quantity"
	kind_text["INTSTR"] = "number or text"
	kind_text["TIME"] = "time"
	kind_text["OBJ"] = kind_text["INLINE"] = "mapping"
	kind_text["LIST"] = "list of mappings"
	kind_text["STRS"] = "list of texts"
	kind_text["INTS"] = "list of numbers"
	kind_text["MAP"] = "mapping of texts"
	kind_text["QMAP"] = "mapping of quantities"
	kind_text["BMAP"] = "mapping of base64 texts"
	kind_text["ANY"] = "anything"
	effect_text["LIVE"] = "changed in place"
	effect_text["RESTART"] = "a change recreates"
	effect_text["ROLLOUT"] = "a change replaces pods"
	effect_text["IMMUTABLE"] = "cannot be changed"
}

/^\.\\" rows: / {
	tables()
	if ($3 == "verbs") put_verbs()
	else if ($3 == "options") put_options()
	else if ($3 == "flags") put_flags()
	else if ($3 == "settings") put_settings()
	else if ($3 == "kinds") put_kinds()
	else if ($3 == "support") put_support()
	else if ($3 == "fields") put_fields()
	else fail("unknown table " $3)
	next
}

{ print }
