'use strict';
// Random Cedar expressions, mostly well typed for the schema of world.js.

const STRINGS = ['"a"', '"b"', '"ab*c"', '""', '"\\u{e9}x"', '"\\0"', '"a\\x2ab"', '"tag"', '"10.0.0.1"'];
const PATTERNS = ['"a*"', '"*"', '"*b*c"', '"a\\*b"', '"a\\x2ab"', '""', '"**"', '"\\u{e9}*"'];
const LONGS = ['0', '1', '2', '-1', '7', '007', '9223372036854775807', '-9223372036854775808', '4611686018427387904'];
const UIDS = ['User::"u0"', 'User::"u1"', 'User::"zz"', 'Group::"g0"', 'Group::"g1"', 'Doc::"d0"', 'Doc::"d1"',
	'Folder::"f0"', 'Folder::"f1"', 'NS::Thing::"t0"', 'Color::"red"', 'Color::"green"', 'Action::"view"',
	'Action::"edit"', 'Action::"any"', 'NS::Action::"do"'];
const DECIMALS = ['decimal("1.0")', 'decimal("1.0000")', 'decimal("-0.5")', 'decimal("922337203685477.5807")', 'decimal("1")', 'decimal("1.00001")'];
const IPS = ['ip("10.0.0.1")', 'ip("10.0.0.0/8")', 'ip("127.0.0.1")', 'ip("::1")', 'ip("ff00::/8")', 'ip("0.0.0.0/0")', 'ip("::/0")', 'ip("1:2:3::8/64")', 'ip("10.0.0.01")', 'ip("::ffff:1.2.3.4")', 'ip("224.0.0.0/4")'];
const DATES = ['datetime("2024-02-29")', 'datetime("1969-12-31T23:59:59.999Z")', 'datetime("2024-01-01T00:00:00+0530")', 'datetime("2023-02-29")', 'datetime("0000-01-01")', 'datetime("9999-12-31T23:59:59Z")', 'datetime("2024-01-01T00:00:60Z")'];
const DURATIONS = ['duration("1h30m")', 'duration("-1500ms")', 'duration("1d")', 'duration("9223372036854775807ms")', 'duration("-9223372036854775808ms")', 'duration("1m1s1ms")', 'duration("30m1h")', 'duration("")'];

class Expressions {
	constructor(random) {
		this.r = random;
	}

	any(depth) {
		return this.r.pick([() => this.bool(depth), () => this.long(depth), () => this.string(depth),
			() => this.entity(depth), () => this.r.pick(['Nope::"x"', 'Color::"pink"']), () => this.set(depth), () => this.record(depth), () => this.extension(depth)])();
	}

	// Now and then something of another type.
	odd(depth, make) {
		return this.r.chance(0.03) ? this.any(depth) : make();
	}

	bool(depth) {
		const r = this.r;
		if (depth <= 0)
			return r.pick(['true', 'false', 'context.flag', 'principal has age', 'resource is Doc', 'principal.flag', 'context has opt']);
		const d = depth - 1;
		const b = () => this.odd(d, () => this.bool(d));
		return r.pick([
			() => `(${b()} && ${b()})`,
			() => `(${b()} || ${b()})`,
			() => `${b()} && ${b()} && ${b()}`.replace(/^/, '(') + ')',
			() => `!(${b()})`,
			() => `!${r.pick(['', '!', '!!'])}(${b()})`,
			() => `(if ${b()} then ${b()} else ${b()})`,
			() => `${this.paren(this.long(d))} ${r.pick(['<', '<=', '>', '>=', '==', '!='])} ${this.paren(this.long(d))}`.replace(/^(.*)$/s, '($1)'),
			() => { const e = r.pick(['long', 'string', 'entity', 'set', 'record', 'any', 'extension']); return `(${this[e](d)} ${r.pick(['==', '!='])} ${this[e](d)})`; },
			() => `(${this.entity(d)} in ${this.entity(d)})`,
			() => `(${this.entity(d)} in [${this.entity(d)}, ${this.odd(d, () => this.entity(d))}])`,
			() => `(${this.entity(d)} is ${r.pick(['User', 'Group', 'Doc', 'NS::Thing', 'Color', 'Action', 'Missing'])})`,
			() => `(${this.entity(d)} is ${r.pick(['User', 'Doc'])} in ${this.entity(d)})`,
			() => `(${this.string(d)} like ${r.pick(PATTERNS)})`,
			() => this.guarded(d),
			() => this.guarded(d),
			() => `(${this.odd(d, () => this.record(d))} has ${r.pick(['a', '"a"', 'b', 'a.b', '"if"', 'sub.n'])})`,
			() => `(${r.pick(['context', 'principal', 'resource'])} has ${r.pick(['opt', 'age', 'sub.n', 'sub.deep.x', 'owner.age', 'nothing'])})`,
			() => `${this.set(d)}.${r.pick(['contains', 'contains', 'containsAll', 'containsAny'])}(${r.pick([() => this.long(d), () => this.set(d), () => this.any(d)])()})`,
			() => `${this.set(d)}.isEmpty()`,
			() => `(${this.entity(d)}).hasTag(${this.string(d)})`,
			() => this.extensionTest(d),
		])();
	}

	paren(text) {
		return `(${text})`;
	}

	// A test and a use that it makes safe, as the validator demands.
	guarded(d) {
		return this.r.pick([
			() => '(principal has age && principal.age > 3)',
			() => '(context has opt && context.opt == "a")',
			() => '(context has sub.n && context.sub.n < 5)',
			() => '(resource has owner.age && resource.owner.age == 1)',
			() => `(if context has opt then context.opt like ${this.r.pick(PATTERNS)} else ${this.bool(d)})`,
			() => '(principal.hasTag("tag") && principal.getTag("tag").contains("a"))',
			() => '(context has opt || context.opt == "a")',
			() => '((context has opt || principal has age) && context.opt == "a")',
			() => `((${this.bool(d)} && context has opt) && context.opt == "b")`,
			() => '(principal has name && principal.name == "a")',
			() => '(!(context has opt) || context.opt == "a")',
		])();
	}

	extensionTest(d) {
		const r = this.r;
		return r.pick([
			() => `${r.pick(DECIMALS)}.${r.pick(['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual'])}(${r.pick(DECIMALS)})`,
			() => `${r.pick(IPS)}.${r.pick(['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast'])}()`,
			() => `${r.pick(IPS)}.isInRange(${r.pick(IPS)})`,
			() => `context.addr.isInRange(${r.pick(IPS)})`,
			() => `(${this.date()} ${r.pick(['<', '<=', '>', '>=', '==', '!='])} ${this.date()})`,
			() => `(${this.duration()} ${r.pick(['<', '<=', '>', '>=', '=='])} ${this.duration()})`,
			() => `(${this.duration()}.${r.pick(['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'])}() ${r.pick(['<', '=='])} ${this.long(d)})`,
		])();
	}

	date() {
		const r = this.r;
		return r.pick([() => r.pick(DATES), () => r.pick(DATES), () => `${r.pick(DATES)}.offset(${r.pick(DURATIONS)})`,
			() => `${r.pick(DATES)}.toDate()`, () => 'context.when'])();
	}

	duration() {
		const r = this.r;
		return r.pick([() => r.pick(DURATIONS), () => r.pick(DURATIONS), () => `${r.pick(DATES)}.durationSince(${r.pick(DATES)})`,
			() => `${r.pick(DATES)}.toTime()`])();
	}

	extension(d) {
		const r = this.r;
		return r.pick([() => r.pick(DECIMALS), () => r.pick(IPS), () => this.date(), () => this.duration(),
			() => 'context.addr', () => `ip(${this.string(d)})`])();
	}

	long(depth) {
		const r = this.r;
		if (depth <= 0)
			return r.pick([...LONGS, 'context.n', 'resource.size', 'principal.age']);
		const d = depth - 1;
		return r.pick([
			() => this.long(0),
			() => `${this.long(d)} ${r.pick(['+', '-', '*'])} ${this.long(d)}`.replace(/^(.*)$/s, '($1)'),
			() => `${this.paren(this.long(d))} + ${this.paren(this.long(d))} - ${this.paren(this.long(d))}`.replace(/^(.*)$/s, '($1)'),
			() => `-${r.pick(['', '-'])}(${this.long(d)})`,
			() => `(if ${this.bool(d)} then ${this.long(d)} else ${this.long(d)})`,
			() => `${this.record(d)}.${r.pick(['a', 'b'])}`,
		])();
	}

	string(depth) {
		const r = this.r;
		if (depth <= 0 || r.chance(0.6))
			return r.pick([...STRINGS, 'context.s', 'principal.name', 'context.opt', 'context["s"]']);
		return `(if ${this.bool(depth - 1)} then ${this.string(depth - 1)} else ${this.string(depth - 1)})`;
	}

	entity(depth) {
		const r = this.r;
		if (depth <= 0 || r.chance(0.8))
			return r.pick(['principal', 'principal', 'resource', 'action', 'resource.owner', 'context.who', ...UIDS]);
		return `(if ${this.bool(depth - 1)} then ${this.entity(depth - 1)} else ${this.entity(depth - 1)})`;
	}

	set(depth) {
		const r = this.r;
		if (r.chance(0.3))
			return r.pick(['context.list', 'resource.readers', '[]', 'principal.getTag("tag")']);
		const kind = r.pick(['long', 'long', 'string', 'entity', 'bool', 'any']);
		return `[${Array.from({ length: 1 + r.below(3) }, () => this[kind](depth - 1)).join(', ')}]`;
	}

	record(depth) {
		const r = this.r;
		if (r.chance(0.3))
			return r.pick(['context', 'context.sub', 'resource.meta']);
		const keys = r.pick([['a'], ['a', 'b'], ['b', 'a'], ['"if"', 'a'], []]);
		return `{${keys.map((k) => `${k}: ${this.any(depth - 1)}`).join(', ')}}`;
	}
}

module.exports = { Expressions, UIDS };
