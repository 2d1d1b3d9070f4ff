/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a .def file is read. It consists of
 *
 *	TYPE(name, type check or NULL, "doc")
 *		FIELD(name, KIND, sub, member, "key", presence, EFFECT, check, "doc")
 *	END(name)
 *
 * bottom-up: a type stands before the types that contain it. sub is the type or enum name, _ for
 * plain values. presence is OPT, ZERO (as OPT, but a 0 or false that is written is something else than
 * nothing), REQ, DEF("text"), KEY("field") or REQKEY("field") for lists, SERVER, NOTED, REFUSED, SECRET, or a flag and a key: NOTED KEY("field"). check is ANY, RANGE(min, max) or CHECK(function). EFFECT is
 * NONE, LIVE, RESTART, ROLLOUT or IMMUTABLE.
 *
 * model/types.h includes all .def files with ROWS_STRUCT and ROWS_INDEX, model/types.c with
 * ROWS_TABLE; this header defines the row macros for the chosen expansion.
 */
#undef TYPE
#undef FIELD
#undef END

#if defined ROWS_STRUCT

#define C_BOOL(sub, m) bool m;
#define C_I32(sub, m) int32_t m;
#define C_I64(sub, m) int64_t m;
#define C_STR(sub, m) const char *m;
#define C_ENUM(sub, m) enum sub m;
#define C_QTY(sub, m) struct quantity m;
#define C_INTSTR(sub, m) struct intstr m;
#define C_TIME(sub, m) int64_t m;
#define C_OBJ(sub, m) struct sub *m;
#define C_INLINE(sub, m) struct sub m;
#define C_LIST(sub, m) struct sub##_list m;
#define C_STRS(sub, m) struct strs m;
#define C_INTS(sub, m) struct ints m;
#define C_MAP(sub, m) struct strmap m;
#define C_QMAP(sub, m) struct qtymap m;
#define C_BMAP(sub, m) struct bytemap m;
#define C_ANY(sub, m) const char *m;

#define TYPE(T, chk, doc) struct T { struct node node;
#define FIELD(T, KIND, sub, m, key, presence, effect, chk, doc) C_##KIND(sub, m)
#define END(T) }; struct T##_list { struct T *v; uint32_t n; }; extern const struct type T##_type;

#elif defined ROWS_INDEX

#define TYPE(T, chk, doc) enum {
#define FIELD(T, KIND, sub, m, key, presence, effect, chk, doc) T##_##m##_row,
#define END(T) T##_rows };

#elif defined ROWS_TABLE

#define S_BOOL(sub)
#define S_I32(sub)
#define S_I64(sub)
#define S_STR(sub)
#define S_ENUM(sub) .values = &sub##_values,
#define S_QTY(sub)
#define S_INTSTR(sub)
#define S_TIME(sub)
#define S_OBJ(T) .sub = &T##_type,
#define S_INLINE(T) .sub = &T##_type,
#define S_LIST(T) .sub = &T##_type,
#define S_STRS(sub)
#define S_INTS(sub)
#define S_MAP(sub)
#define S_QMAP(sub)
#define S_BMAP(sub)
#define S_ANY(sub)

#define OPT
#define REQ .flags = F_REQUIRED,
#define DEF(text) .dflt = text,
#define KEY(f) .list_key = f,
#define REQKEY(f) .flags = F_REQUIRED, .list_key = f,
#define SERVER .flags = F_SERVER,
#define NOTED .flags = F_NOTED,
#define REFUSED .flags = F_REFUSED,
#define SECRET .flags = F_SECRET,
#define ZERO .flags = F_ZERO,
#define ANY
#define RANGE(lo, hi) .min = lo, .max = hi,
#define CHECK(f) .check = f,

#define TYPE(T, chk, d)                                                                        \
	static const type_check T##_check = chk;                                               \
	static const char T##_doc[] = d;                                                       \
	static const struct field T##_fields[] = {
#define FIELD(T, KIND, s, m, k, presence, eff, chk, d)                                         \
		{ .key = k, .doc = d, .kind = K_##KIND, .effect = E_##eff,                     \
		  .offset = offsetof(struct T, m), S_##KIND(s) presence chk },
#define END(T)                                                                                 \
	};                                                                                     \
	_Static_assert(T##_rows <= 64, "one bit of node.set per row");                         \
	const struct type T##_type = {                                                         \
		#T, T##_doc, T##_fields, T##_rows, sizeof(struct T), T##_check,                \
	};

#endif
