'use strict';
// The cases themselves: see corners.cjs. Left out on purpose: the reference's
// partial evaluation (`unknown`), and what only its JavaScript interface takes.

const SCHEMA = `
entity G;
entity U in [G] = { n: Long, o?: Long, s: String, b: Bool, set: Set<Long>, r: { x: Long, y?: Long, z?: { w?: Bool } },
  e: U, oe?: U, d: decimal, i: ipaddr, t: datetime, du: duration, "a b": Long, "if"?: Long, es: Set<U>, rs: Set<{ x: Long }>, rr: Set<{ x?: Long }> } tags Long;
entity R in [G, R] = { n: Long, owner?: U } tags { x: Long, y?: Long };
entity N;
entity Color enum ["red", "green"];
action all;
action grp in [all];
action a in [grp] appliesTo { principal: [U], resource: [R], context: { c?: Long, q: Long, k?: { l?: { m: Long } }, str: String, col?: Color } };
action b in [all] appliesTo { principal: [U, G], resource: [R, U] };
action odd appliesTo { principal: G, resource: N };
`;
const uid = (type, id) => ({ type, id });
const USER = { n: 1, s: 'x*y', b: true, set: [1, 2], r: { x: 1, y: 2, z: {} }, e: uid('U', 'u'), d: '1.5', i: '10.0.0.1/24', t: '2024-02-29', du: '1h',
	'a b': 4, es: [uid('U', 'u')], rs: [{ x: 1 }], rr: [{ x: 1 }, {}] };
const ENTITIES = [{ uid: uid('U', 'u'), attrs: USER, parents: [uid('G', 'g')], tags: { t1: 7, 'x y': 8 } },
	{ uid: uid('R', 'r'), attrs: { n: 3, owner: uid('U', 'u') }, parents: [uid('R', 'p')], tags: { t: { x: 1 } } },
	{ uid: uid('R', 'p'), attrs: { n: 4 }, parents: [uid('G', 'g')] }, { uid: uid('G', 'g'), attrs: {}, parents: [] }];
const REQUEST = { principal: uid('U', 'u'), action: uid('Action', 'a'), resource: uid('R', 'r'), context: { q: 1, c: 5, k: { l: { m: 3 } }, str: 'x' } };

const PREFIX = 'permit (principal, action == Action::"a", resource) when { ';
const expression = (e) => ({ text: `${PREFIX}${e} };`, schema: SCHEMA, entities: ENTITIES, request: REQUEST });

const fs = require('fs');
const path = require('path');

// One expression, policy or schema a paragraph; "#" begins a comment.
function paragraphs(name) {
	return fs.readFileSync(path.join(__dirname, name), 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'))
		.map((line) => (line.startsWith('"') && line.endsWith('"j') ? JSON.parse(line.slice(0, -1)) : line));
}

function extensions() {
	const strings = {
		decimal: ['1', '1.', '.1', '1.0', '01.10', '-0.0', '+1.0', '1.00000', '1.0000', '922337203685477.5807', '922337203685477.5808', '-922337203685477.5808',
			'-922337203685477.5809', '1.0 ', ' 1.0', '1e1', '--1.0', '-.5', '٣.٣', '00000000000000000000001.0', '1.0\n', '9223372036854775807.0', '0.99999', '1_0.0', ''],
		ip: ['1.2.3.4', '1.2.3', '1.2.3.4.5', '01.2.3.4', '1.2.3.256', '1.2.3.4/0', '1.2.3.4/00', '1.2.3.4/01', '1.2.3.4/32', '1.2.3.4/33', '1.2.3.4/', '1.2.3.4/+1',
			'::', '::1', ':::', '1::', '1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7::', '::2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8::', '1:2:3:4::5:6:7:8', '1::2::3', '::ffff:1.2.3.4', '::1.2.3.4', '::/0', '::/128', '::/129',
			'::/000', 'FFFF::a', 'fffff::', '[::1]', '::1%0', ' ::1', '1.2.3.4 ', '', '/', '1.2.3.4/8/8', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128', '0000:0000:0000:0000:0000:0000:0000:0001/128',
			'00000::1', ':1', '1:', '1:2:3:4:5:6:7', '0.0.0.0', '127.0.0.1/8', '127.0.0.1/7', '224.0.0.1/4', '224.0.0.1/3', 'ff00::/8', 'ff00::/7', '::1/127', '0x1.2.3.4', '1.2.3.4/1 ', '１.2.3.4', '1..3.4', '1.2.3.', ':1.2.3.4'],
		datetime: ['2024-02-29', '2023-02-29', '1900-02-29', '2000-02-29', '0000-01-01', '9999-12-31', '2024-00-01', '2024-13-01', '2024-04-31', '2024-1-1', '24-01-01', '-001-01-01', '10000-01-01',
			'2024-01-01T00:00:00Z', '2024-01-01T00:00:00.000Z', '2024-01-01T00:00:00.00Z', '2024-01-01T00:00:00.0000Z', '2024-01-01T24:00:00Z', '2024-01-01T23:59:60Z', '2024-01-01T23:59:59.999Z',
			'2024-01-01T00:00:00', '2024-01-01T00:00:00z', '2024-01-01t00:00:00Z', '2024-01-01 00:00:00Z', '2024-01-01T00:00Z', '2024-01-01T00:00:00+0000', '2024-01-01T00:00:00-0000', '2024-01-01T00:00:00+2359',
			'2024-01-01T00:00:00+2400', '2024-01-01T00:00:00+2360', '2024-01-01T00:00:00+00:00', '2024-01-01T00:00:00+00', '2024-01-01T00:00:00.123+0130', '0000-01-01T00:00:00+2359', '9999-12-31T23:59:59.999-2359',
			'2024-01-01Z', '2024-01-01T', '2024-01-01T00:00:00ZZ', '2024-01-01T00:00:00Z ', ' 2024-01-01', '', '2024-01-0１', '2024-01-01T00:60:00Z', '2024-01-01T00:00:00,000Z', '2024-01-01T00:00:00.Z', '2024-01-01T00:00:00−0100'],
		duration: ['1d', '1h', '1m', '1s', '1ms', '1d2h3m4s5ms', '1h1d', '1m1m', '-1d', '--1d', '+1d', '', '-', '1', 'd', '0ms', '-0ms', '1d-1h', ' 1d', '1d ', '1D', '1.5h', '9223372036854775807ms', '9223372036854775808ms',
			'-9223372036854775808ms', '-9223372036854775809ms', '106751991167d', '106751991168d', '-106751991168d', '106751991167d7h12m55s807ms', '106751991167d7h12m55s808ms', '-106751991167d7h12m55s808ms', '-106751991167d7h12m55s809ms',
			'00001d', '1m1ms', '1ms1s', '1s1ms', '1mss', '1d 2h', '99999999999999999999999d', '0099999999999999999999999d', '１d', '18446744073709551616ms', '0d99999999999999h'],
	};
	const probes = {
		decimal: ['X.lessThan(decimal("0.0"))', 'X == decimal("1.0")', 'X.greaterThanOrEqual(decimal("-0.5"))'],
		ip: ['X.isIpv4()', 'X.isLoopback()', 'X.isMulticast()', 'X.isInRange(ip("0.0.0.0/0"))', 'X.isInRange(ip("::/0"))', 'ip("1.2.3.4").isInRange(X)', 'X == ip("::1")', 'ip("ff00::").isInRange(X)'],
		datetime: ['X < datetime("2024-01-01")', 'X == datetime("2024-01-01")', 'X.toTime() == duration("0ms")', 'X.toDate() == X', 'X.durationSince(datetime("1970-01-01")) > duration("19723d")',
			'X.offset(duration("9223372036854775807ms")) == X', 'X.offset(duration("-1ms")).toDate() == datetime("2023-12-31")', 'X.offset(duration("-1ms")).toTime() == duration("86399999ms")'],
		duration: ['X < duration("1h")', 'X.toMilliseconds() == 1', 'X.toSeconds() == -9223372036854775', 'X.toDays() == 1', 'X.toMinutes() < 0', 'X.toHours() <= 24', 'datetime("1969-12-31").offset(X).toDate() == datetime("1969-12-31")'],
	};
	const list = [];
	for (const [fn, all] of Object.entries(strings))
		for (const s of all)
			for (const probe of probes[fn])
				list.push(expression(probe.replaceAll('X', `${fn}(${JSON.stringify(s)})`)));
	return list;
}

// Values at the place of one attribute, with and without the schema.
function values() {
	const wide = { __extn: { fn: 'ip', arg: '1.2.3.4' } };
	const attributes = { n: [1, '1', null, 1.5, -1, true, [1], { __expr: '1' }, 9007199254740991], s: ['', '\u0000', '\ud83d\ude00', 1, { __entity: uid('U', 'u') }], b: [true, 'true', 0],
		set: [[], [1, 1], [1, 'a'], [[1]], 1, {}, [null]], r: [{ x: 1 }, {}, { x: 1, u: 1 }, { x: 1, y: null }, { x: 1, z: { w: 1 } }, { x: 1, z: { w: true } }, { __entity: uid('U', 'u') }, []],
		e: [uid('U', 'zz'), { __entity: uid('U', 'zz') }, uid('G', 'g'), 'U::"u"', { type: 'U' }, { type: 'U', id: 'u', x: 1 }, { __entity: uid('U', 'u'), x: 1 }, { __entity: { type: 'U', id: 'u', x: 1 } }, { type: ' U', id: 'u' }, uid('Color', 'red'), uid('Nope', 'x'),
			{ type: 'U', id: 1 }, { __entity: 'U' }, { __entity: { __entity: uid('U', 'u') } }],
		d: ['1.0', '1', 1, { fn: 'decimal', arg: '1.0' }, { __extn: { fn: 'decimal', arg: '1.0' } }, wide, { fn: 'ip', arg: '1.2.3.4' }, { fn: 'decimal', args: ['1.0'] }, { __extn: { fn: 'decimal', args: ['1.0'] } }, { fn: 'decimal', arg: '1.0', x: 1 },
			{ __extn: { fn: 'decimal', arg: '1.0', x: 1 } }, { __extn: { fn: 'decimal', arg: { __extn: { fn: 'decimal', arg: '1.0' } } } }, { fn: 'decimal', args: ['1.0', '2.0'] }, { fn: 'decimal', args: [] }],
		i: ['1.2.3.4', wide, { __extn: wide }, { __extn: { fn: 'ip', arg: 'zz' } }, 'zz', { __extn: { fn: 'ipaddr', arg: '1.2.3.4' } }, { __extn: { fn: 'isIpv4', arg: wide } }],
		t: ['2024-01-01', { __extn: { fn: 'offset', args: [{ __extn: { fn: 'datetime', arg: '2024-01-01' } }, { __extn: { fn: 'duration', arg: '1h' } }] } }, { fn: 'offset', args: ['2024-01-01', '1h'] },
			{ fn: 'offset', args: [{ fn: 'datetime', arg: '2024-01-01' }, { fn: 'duration', arg: '1h' }] }, { __extn: { fn: 'offset', args: ['2024-01-01', '1h'] } }, { __extn: { fn: 'offset', arg: '1h' } },
			{ __extn: { fn: 'toDate', arg: { __extn: { fn: 'datetime', arg: '2024-01-01' } } } }, { __extn: { fn: 'toDate', args: [{ __extn: { fn: 'datetime', arg: '2024-01-01' } }] } }],
		du: ['1h', { __extn: { fn: 'toTime', arg: { __extn: { fn: 'datetime', arg: '2024-01-01' } } } }, { __extn: { fn: 'toDays', arg: { __extn: { fn: 'duration', arg: '1d' } } } }, { __extn: { fn: 'durationSince', args: [{ __extn: { fn: 'datetime', arg: '2024-01-01' } }, { __extn: { fn: 'datetime', arg: '2024-01-02' } }] } }],
		es: [[], [uid('U', 'a'), { __entity: uid('U', 'a') }], [uid('U', 'a'), uid('G', 'a')], ['U::"a"']], rs: [[{ x: 1 }, { x: 1 }], [{}], [{ x: 1, y: 2 }]], rr: [[{}, { x: 2 }], [{ x: 'a' }]],
		'if': [1, 'a'], o: [1, null], oe: [uid('U', 'u'), null], extra: [1, { a: 1 }] };
	const list = [];
	const text = 'permit (principal, action, resource) when { principal.ATTR == principal.ATTR };';
	for (const [name, all] of Object.entries(attributes))
		for (const value of all)
			for (const schema of [SCHEMA, null]) {
				const entities = [{ uid: uid('U', 'u'), attrs: { ...(schema ? USER : {}), [name]: value }, parents: [] }];
				const request = { ...REQUEST, context: schema ? REQUEST.context : { v: value } };
				list.push({ text: text.replaceAll('.ATTR', `["${name}"]`), entities, request, schema });
			}
	return list;
}

function entityLists() {
	const U = { uid: uid('U', 'u'), attrs: USER, parents: [] };
	const action = (id, parents, more) => ({ uid: uid('Action', id), attrs: {}, parents: parents.map((p) => uid('Action', p)), ...more });
	const lists = [[U, U], [U, { ...U, tags: {} }], [U, { ...U, tags: { a: 1 } }], [{ ...U, tags: { a: 'x' } }], [{ ...U, tags: { a: null } }], [{ ...U, tags: [] }], [{ ...U, tags: null }], [{ ...U, extra: 1 }],
		[{ uid: uid('U', 'u'), attrs: USER }], [{ uid: uid('U', 'u'), parents: [] }], [{ attrs: USER, parents: [] }], [{ ...U, uid: 'U::"u"' }], [{ ...U, uid: { __entity: uid('U', 'u') } }], [{ ...U, uid: { __expr: 'U::"u"' } }],
		[{ ...U, parents: [uid('U', 'u')] }], [{ ...U, parents: [uid('G', 'none')] }], [{ ...U, parents: [uid('G', 'g'), uid('G', 'g')] }], [{ ...U, parents: [uid('R', 'r')] }], [{ ...U, parents: ['G::"g"'] }],
		[{ ...U, parents: [{ __entity: uid('G', 'g') }] }], [{ ...U, parents: [uid('Action', 'a')] }], [{ ...U, parents: {} }], {}, null, [null], [[]],
		[{ uid: uid('R', '1'), attrs: { n: 1 }, parents: [uid('R', '2')] }, { uid: uid('R', '2'), attrs: { n: 1 }, parents: [uid('R', '1')] }],
		[{ uid: uid('R', '1'), attrs: { n: 1 }, parents: [uid('R', '1')] }], [{ uid: uid('N', 'x'), attrs: {}, parents: [] }], [{ uid: uid('N', 'x'), attrs: {}, parents: [], tags: { a: 1 } }], [{ uid: uid('Nope', 'x'), attrs: {}, parents: [] }],
		[{ uid: uid('Color', 'red'), attrs: {}, parents: [] }], [{ uid: uid('Color', 'blue'), attrs: {}, parents: [] }], [{ uid: uid('Color', 'red'), attrs: { a: 1 }, parents: [] }], [{ uid: uid('Color', 'red'), attrs: {}, parents: [uid('G', 'g')] }],
		[{ uid: uid('Color', 'red'), attrs: {}, parents: [], tags: { a: 1 } }],
		[action('a', ['grp'])], [action('a', ['grp', 'all'])], [action('a', [])], [action('a', ['all'])], [action('nope', [])], [action('all', [])], [action('grp', ['all'])], [action('a', ['grp'], { attrs: { x: 1 } })], [action('a', ['grp'], { tags: { x: 1 } })],
		[action('a', ['b']), action('b', ['a'])], [{ uid: uid('Action', 'a'), attrs: {}, parents: [uid('G', 'g')] }], [{ uid: uid('X::Action', 'a'), attrs: {}, parents: [uid('Action', 'g')] }],
		[{ uid: { type: 'U', id: 'u', x: 1 }, attrs: USER, parents: [] }], [{ uid: uid('U ', 'u'), attrs: USER, parents: [] }], [{ uid: uid('', 'u'), attrs: USER, parents: [] }], [{ uid: uid('a::if', 'u'), attrs: USER, parents: [] }],
		[{ uid: uid('A:: B', 'u'), attrs: {}, parents: [] }], [{ uid: uid('A//x\n::B', 'u'), attrs: {}, parents: [] }], [{ uid: uid('__cedar::A', 'u'), attrs: {}, parents: [] }], [{ uid: uid('A::__cedar', 'u'), attrs: {}, parents: [] }],
		[{ uid: uid('U', 'v'), attrs: { ...USER, r: { x: 1, 'a"b\\': 2 } }, parents: [] }], [{ uid: uid('U', ''), attrs: USER, parents: [] }], [{ uid: uid('U', '\u0000\n'), attrs: USER, parents: [] }]];
	const list = [];
	for (const entities of lists)
		for (const schema of [SCHEMA, null])
			list.push({ text: 'permit (principal in G::"g", action in Action::"all", resource);', entities, request: schema ? REQUEST : { ...REQUEST, context: {} }, schema });
	return list;
}

function requests() {
	const list = [];
	const text = 'permit (principal, action in Action::"all", resource); forbid (principal, action, resource) when { context.k.l.m > 2 }; permit (principal, action, resource) unless { context has zz };';
	const contexts = [{}, { q: 1, str: 'x' }, { q: '1', str: 'x' }, { q: 1, str: 'x', zz: 1 }, { q: 1, str: 'x', k: {} }, { q: 1, str: 'x', k: { l: {} } }, { q: 1, str: 'x', k: { l: { m: 5 } } }, { q: 1, str: 'x', col: uid('Color', 'red') },
		{ q: 1, str: 'x', col: uid('Color', 'blue') }, { q: 1, str: 'x', col: { __entity: uid('Color', 'blue') } }, { q: 1, str: 'x', col: 'red' }, { __entity: uid('U', 'u') }, { __extn: { fn: 'ip', arg: '::' } }, { __expr: '1' }, { q: null, str: 'x' }, [], null, 'x', { __entity: 1 }, { __extn: 1 }];
	for (const context of contexts)
		for (const schema of [SCHEMA, null])
			list.push({ text, schema, entities: ENTITIES, request: { ...REQUEST, context } });
	const bare = { principal: uid('U', 'u'), action: uid('Action', 'b'), resource: uid('U', 'u'), context: {} };
	for (const change of [{}, { principal: uid('G', 'x') }, { principal: uid('R', 'x') }, { resource: uid('G', 'x') }, { resource: uid('R', 'new') }, { action: uid('Action', 'all') }, { action: uid('Action', 'zz') }, { action: uid('U', 'u') }, { action: uid('Action', 'odd') },
		{ principal: { __entity: uid('U', 'u') } }, { principal: 'U::"u"' }, { principal: uid('Nope', 'x') }, { context: { a: 1 } }, { action: uid('X::Action', 'b') }, { principal: uid('Color', 'red') }, { principal: uid('Action', 'b') }])
		for (const schema of [SCHEMA, null])
			list.push({ text, schema, entities: schema ? ENTITIES : [], request: { ...bare, ...change } });
	return list;
}

// JSON policies: each form of expression, right and slightly wrong.
function jsonPolicies() {
	const V = (v) => ({ Value: v });
	const p = { Var: 'principal' };
	const all = { op: 'All' };
	const two = (l, r) => ({ left: l, right: r });
	const policy = (more) => ({ effect: 'permit', principal: all, action: all, resource: all, conditions: [], ...more });
	const bodies = [V(true), V(1), V(null), V(1.5), V('a'), V([]), V([1]), V({}), V({ a: 1 }), V({ __entity: uid('U', 'u') }), V({ __extn: { fn: 'ip', arg: '::' } }), V({ __extn: { fn: 'ip', arg: 'x' } }), V({ __expr: '1' }), V({ __extn: { fn: 'nope', arg: 'x' } }), V({ __entity: 'x' }),
		V({ __extn: { fn: 'decimal', args: ['1.0'] } }), V({ __extn: { fn: 'ip', args: ['::', '::'] } }), V({ __extn: { fn: 'isIpv4', arg: { __extn: { fn: 'ip', arg: '::' } } } }),
		{ Var: 'zz' }, { Var: 'context' }, { Var: 1 }, { Slot: '?principal' }, { Slot: '?zz' }, { Unknown: { name: 'x' } }, { Unknown: 'x' }, { error: [] }, {}, [], null, 'x', { '!': { arg: V(true) } }, { '!': V(true) }, { '!': { arg: V(true), x: 1 } }, { neg: { arg: V(1) } }, { neg: { arg: V('') } }, { '-': { arg: V(1) } },
		{ '-': two(V(1), V(2)) }, { '+': { left: V(1) } }, { '*': two(V(2), p) }, { '/': two(V(2), V(1)) }, { '%': two(V(2), V(1)) }, { isEmpty: { arg: V([]) } }, { isEmpty: [V([])] }, { isEmpty: { left: V([]) } }, { '==': two(p, p) }, { '!=': two(p, V(1)) }, { '<': two(V(1), V(2)) }, { '<=': two(V(1), V(2)) }, { '>': two(V(1), V(2)) },
		{ '>=': two(V(1), V('')) }, { in: two(p, V({ __entity: uid('G', 'g') })) }, { in: two(p, V([{ __entity: uid('G', 'g') }, 1])) }, { in: two(p, { Set: [V({ __entity: uid('G', 'g') }), p] }) }, { '&&': two(V(true), V(true)) }, { '&&': two(V(false), V(1)) }, { '||': two(V(true), V(1)) }, { '&&': { left: V(true), right: V(true), x: 1 } },
		{ contains: two(V([1]), V(1)) }, { containsAll: two(V([1]), V([])) }, { containsAny: two(V([1]), V(1)) }, { contains: [V([1]), V(1)] }, { getTag: two(p, V('t1')) }, { hasTag: two(p, V('t1')) }, { hasTag: [p, V('t1')] }, { '.': { left: p, attr: 'n' } }, { '.': { left: p, attr: ['r', 'x'] } }, { '.': { left: p, right: 'n' } }, { has: { left: p, attr: 'n' } },
		{ has: { left: p, attr: ['r', 'x'] } }, { has: { left: p, attr: ['r', 'a b', 'if'] } }, { has: { left: p, attr: [] } }, { has: { left: p, attr: ['r'] } }, { has: { left: p, attr: 1 } }, { has: { left: p, attr: [1] } }, { has: { left: p, attr: 'if' } }, { like: { left: V('abc'), pattern: ['Wildcard', { Literal: 'c' }] } },
		{ like: { left: V('a*c'), pattern: [{ Literal: 'a*' }, 'Wildcard'] } }, { like: { left: V('a'), pattern: [] } }, { like: { left: V(''), pattern: [] } }, { like: { left: V('aa'), pattern: [{ Literal: 'a' }, { Literal: 'a' }] } }, { like: { left: V('a'), pattern: 'a*' } }, { like: { left: V('a'), pattern: ['x'] } }, { like: { left: V('a'), pattern: [{ Wildcard: null }] } },
		{ like: { left: V('abc'), pattern: [{ Wildcard: 'x' }] } }, { like: { left: V('a'), pattern: [{ Literal: 'a', x: 1 }] } }, { like: { left: V('a'), pattern: ['Wildcard', 'Wildcard', { Literal: '' }] } }, { like: { left: V('ab'), pattern: [{ Literal: 'a' }, { Literal: '' }, 'Wildcard'] } }, { is: { left: p, entity_type: 'U' } }, { is: { left: p, entity_type: 'U', in: V({ __entity: uid('G', 'g') }) } },
		{ is: { left: p, entity_type: 'U', in: { entity: uid('G', 'g') } } }, { is: { left: p, entity_type: 'a b' } }, { is: { left: p, entity_type: 'U::' } }, { is: { left: p, entity_type: 'if' } }, { is: { left: p, entity_type: 'U', in: null } }, { 'if-then-else': { if: V(true), then: V(true), else: V(1) } }, { 'if-then-else': { if: V(true), then: V(true) } }, { Set: [] }, { Set: [p, V(1)] }, { Set: V([]) }, { Record: {} }, { Record: { a: V(1), if: p } },
		{ Record: [] }, { ip: [V('::')] }, { ip: [] }, { ip: V('::') }, { ip: [V('::'), V('::')] }, { ip: [V(1)] }, { isIpv4: [{ ip: [V('::')] }] }, { isIpv4: [] }, { isInRange: [{ ip: [V('::')] }] }, { lessThan: [{ decimal: [V('1.0')] }, { decimal: [V('2.0')] }] }, { nope: [V(1)] }, { ipaddr: [V('::')] }, { offset: [{ datetime: [V('2024-01-01')] }, { duration: [V('1h')] }] }, { toDate: [{ datetime: [V('2024-01-01')] }] },
		{ Var: 'principal', Value: 1 }, { '==': two(p, p), '!=': two(p, p) }, { '.': { left: { Record: { a: V(true) } }, attr: 'a' } }, { '.': { left: V({ a: true }), attr: 'a' } }, { '==': two({ Record: { a: V(1), b: V(2) } }, V({ b: 2, a: 1 })) }, { '==': two({ Set: [V(1)] }, V([1, 1])) }, { contains: two(V([{ __entity: uid('U', 'u') }]), p) }, { __extn: { fn: 'ip', arg: '::' } }, { Pattern: 1 }, { 'like': { left: V('a') } }];
	const policies = bodies.map((body) => policy({ conditions: [{ kind: 'when', body }] }));
	const scope = (o) => policies.push(policy(o));
	for (const s of [{ op: 'all' }, { op: 'All', entity: uid('U', 'u') }, { op: '==', entity: uid('U', 'u') }, { op: '==', entity: { __entity: uid('U', 'u') } }, { op: '==', entity: 'U::"u"' }, { op: '==' }, { op: '==', slot: '?principal' }, { op: '==', slot: '?resource' }, { op: '==', slot: '?principal', entity: uid('U', 'u') }, { op: 'in', entity: uid('G', 'g') }, { op: 'in', entities: [uid('G', 'g')] }, { op: 'in', slot: '?principal' },
		{ op: 'is', entity_type: 'U' }, { op: 'is', entity_type: 'U', in: { entity: uid('G', 'g') } }, { op: 'is', entity_type: 'U', in: { slot: '?principal' } }, { op: 'is', entity_type: 'U', in: uid('G', 'g') }, { op: 'is', entity_type: 'U', in: {} }, { op: 'is', entity_type: 'U', in: null }, { op: 'is', entity_type: ' U' }, { op: 'is' }, { op: 'is', entity_type: 'U', x: 1 }, {}, null, 'All', { op: 'is', entity_type: 'U', in: { entity: uid('G', 'g'), x: 1 } }, { op: 'in', entity: { type: 'U', id: 'u', x: 1 } }]) {
		scope({ principal: s });
		scope({ resource: s });
		scope({ action: s });
	}
	const A = uid('Action', 'a');
	for (const s of [{ op: '==', entity: A }, { op: 'in', entity: A }, { op: 'in', entities: [A] }, { op: 'in', entities: [] }, { op: 'in', entities: A }, { op: 'in', entities: [A], entity: A }, { op: '==', entities: [A] }, { op: 'in', entities: [A, uid('U', 'u')] }, { op: '==', entity: uid('X::Action', 'a') }, { op: '==', entity: uid('Action::X', 'a') }])
		scope({ action: s });
	for (const o of [{ effect: 'Permit' }, { effect: null }, { annotations: {} }, { annotations: { a: 'b', if: null, principal: '' } }, { annotations: { 'a b': 'x' } }, { annotations: { a: 1 } }, { annotations: null }, { annotations: [] }, { conditions: null }, { conditions: {} }, { conditions: [{ kind: 'When', body: V(true) }] }, { conditions: [{ kind: 'when' }] }, { conditions: [{ body: V(true) }] }, { conditions: [{ kind: 'when', body: V(true), x: 1 }] },
		{ conditions: [{ kind: 'unless', body: V(false) }, { kind: 'when', body: V(true) }] }, { extra: 1 }])
		scope(o);
	const bad = policy({});
	delete bad.conditions;
	policies.push(bad);
	const list = policies.map((one) => ({ set: { staticPolicies: { p0: one } }, schema: SCHEMA, entities: ENTITIES, request: REQUEST }));
	return list.concat(jsonSets(policy, V));
}

function jsonSets(policy, V) {
	const T = policy({ principal: { op: 'in', slot: '?principal' } });
	const U = uid('U', 'u');
	const link = (o) => ({ templateId: 't', newId: 'l', values: { '?principal': U }, ...o });
	const sets = [{}, { staticPolicies: {}, x: 1 }, { templates: { t: T }, templateLinks: [link({})] }, { templates: { t: T }, templateLinks: [link({ values: {} })] }, { templates: { t: T }, templateLinks: [link({ values: { '?principal': U, '?resource': U } })] },
		{ templates: { t: T }, templateLinks: [link({ values: { principal: U } })] }, { templates: { t: T }, templateLinks: [link({ newId: 't' })] }, { templates: { t: T }, templateLinks: [link({}), link({})] }, { templates: { t: T }, staticPolicies: { t: policy({}) } }, { templates: { t: policy({}) } }, { staticPolicies: { t: T } },
		{ templates: { t: T }, templateLinks: [link({ x: 1 })] }, { templates: { t: T }, templateLinks: [link({ newId: 1 })] }, { templates: { t: T }, templateLinks: [link({ templateId: 'z' })] }, { templates: { t: T }, templateLinks: {} }, { templates: { t: T }, templateLinks: [link({ values: { '?principal': 'U::"u"' } })] }, { templates: { t: T }, templateLinks: [link({ values: { '?principal': { __entity: U } } })] },
		{ templates: { t: T }, templateLinks: [link({ values: { '?principal': uid('Nope', 'x') } })] }, { templates: { t: T }, templateLinks: [link({ values: { '?principal': uid('Color', 'blue') } })] }, { templates: { t: T }, templateLinks: [link({ values: { '?zz': U } })] }, { staticPolicies: { '': policy({}), 'a b': policy({}) } }, { staticPolicies: { p: 1 } },
		{ staticPolicies: { p: policy({ conditions: [{ kind: 'when', body: { '==': { left: V(1), right: V('a') } } }] }) } },
		{ templates: { t: policy({ principal: { op: 'is', entity_type: 'U', in: { slot: '?principal' } }, resource: { op: '==', slot: '?resource' } }) }, templateLinks: [link({ values: { '?principal': uid('G', 'g'), '?resource': uid('R', 'r') } })] },
		{ templates: { t: T }, templateLinks: [{ templateId: 't', newId: 'l' }] }, { templates: { t: T }, templateLinks: [link({ values: null })] }];
	return sets.map((set) => ({ set, schema: SCHEMA, entities: ENTITIES, request: REQUEST }));
}

// JSON schemas: one change each to one that is right.
function jsonSchemas() {
	const T = (type, more) => ({ type, ...more });
	const types = [T('Long'), T('String'), T('Boolean'), T('Bool'), T('Set'), T('Set', { element: T('Long') }), T('Set', { element: T('Long'), x: 1 }), T('Record'), T('Record', { attributes: {} }), T('Record', { attributes: { a: T('Long', { required: false }) }, additionalAttributes: false }),
		T('Record', { attributes: {}, additionalAttributes: true }), T('Record', { attributes: { a: T('Long', { required: 'no' }) } }), T('Record', { attributes: { a: T('Long', { annotations: { doc: 'x' } }) } }), T('Record', { attributes: { a: T('Long', { annotations: { 'a b': 'x' } }) } }), T('Entity'), T('Entity', { name: 'U' }), T('Entity', { name: 'N::U' }), T('Entity', { name: 'Z' }), T('EntityOrCommon', { name: 'U' }),
		T('EntityOrCommon', { name: 'c' }), T('EntityOrCommon', { name: 'Long' }), T('EntityOrCommon', { name: 'Bool' }), T('EntityOrCommon', { name: 'Boolean' }), T('EntityOrCommon', { name: 'ipaddr' }), T('Extension', { name: 'ipaddr' }), T('Extension', { name: 'ip' }), T('Extension', { name: 'datetime' }), T('Extension', { name: '__cedar::ipaddr' }), T('Extension'), T('c'), T('N::c'), T('Z'), T('U'), T('c', { x: 1 }),
		T('Long', { x: 1 }), T('Long', { required: true }), T('Long', { element: T('Long') }), T('__cedar::Long'), T('__cedar::Set'), T('__cedar::ipaddr'), T('ipaddr'), T('Record', { attributes: { a: T('Z') } }), T('Record', { attributes: [] }), 'Long', null, {}, [], T('rec'), T('Set', { element: T('rec') }), T('a b'), T('Action'), T('Entity', { name: 'Action' }), T('Long', { annotations: { a: 'b' } }), T('if'), T('Entity', { name: 'N::N::U' })];
	const base = (o) => ({ entityTypes: { U: { memberOfTypes: [] } }, actions: { a: { appliesTo: { principalTypes: ['U'], resourceTypes: ['U'] } } }, commonTypes: { c: T('Long'), rec: T('Record', { attributes: { x: T('Long') } }) }, ...o });
	const schemas = [];
	for (const ns of ['', 'N'])
		for (const type of types) {
			schemas.push({ [ns]: base({ entityTypes: { U: { shape: type } } }) }, { [ns]: base({ entityTypes: { U: { tags: type } } }) }, { [ns]: base({ entityTypes: { U: { shape: T('Record', { attributes: { a: type } }) } } }) },
				{ [ns]: base({ commonTypes: { c: T('Long'), rec: T('Record', { attributes: {} }), d: type } }) }, { [ns]: base({ actions: { a: { appliesTo: { principalTypes: ['U'], resourceTypes: ['U'], context: type } } } }) });
		}
	for (const U of [{}, null, [], { memberOfTypes: ['U'] }, { memberOfTypes: ['Z'] }, { memberOfTypes: 'U' }, { memberOfTypes: ['N::U'] }, { memberOfTypes: ['c'] }, { x: 1 }, { enum: ['a'] }, { enum: [] }, { enum: ['a', 'a'] }, { enum: [1] }, { enum: ['a'], memberOfTypes: [] }, { enum: ['a'], shape: T('Record', { attributes: {} }) }, { annotations: { a: 'b' } }, { annotations: { a: null } }, { enum: ['a'], annotations: {} }, { memberOfTypes: ['Action'] }, { enum: ['a'], tags: T('Long') }, { memberOfTypes: null }])
		schemas.push({ '': base({ entityTypes: { U } }) }, { N: base({ entityTypes: { U } }) });
	const on = { principalTypes: ['U'], resourceTypes: ['U'] };
	for (const a of [{}, null, { appliesTo: null }, { appliesTo: {} }, { appliesTo: { principalTypes: ['U'] } }, { appliesTo: { principalTypes: [], resourceTypes: ['U'] } }, { appliesTo: { principalTypes: ['U'], resourceTypes: [] } }, { appliesTo: { principalTypes: ['Z'], resourceTypes: ['U'] } }, { appliesTo: { principalTypes: null, resourceTypes: null } }, { appliesTo: { ...on, x: 1 } }, { appliesTo: on, memberOf: [] }, { appliesTo: on, memberOf: null }, { memberOf: [{ id: 'b' }] },
		{ memberOf: [{ id: 'a' }] }, { memberOf: [{ id: 'zz' }] }, { memberOf: [{ id: 'b', type: 'Action' }] }, { memberOf: [{ id: 'b', type: 'N::Action' }] }, { memberOf: [{ id: 'b', type: 'U' }] }, { memberOf: [{ id: 'b', x: 1 }] }, { memberOf: ['b'] }, { memberOf: [{ type: 'Action' }] }, { attributes: {} }, { attributes: { x: 1 } }, { attributes: null }, { annotations: { a: 'b' } }, { x: 1 }, { appliesTo: { ...on, context: { type: 'U' } } }, { appliesTo: { principalTypes: ['c'], resourceTypes: ['U'] } }, { appliesTo: { principalTypes: ['Action'], resourceTypes: ['U'] } }, { appliesTo: { principalTypes: ['U', 'U'], resourceTypes: ['U'] } }, { memberOf: [{ id: 'b', type: null }] }])
		schemas.push({ '': base({ actions: { a, b: {} } }) }, { N: base({ actions: { a, b: {} } }) });
	for (const name of ['Long', 'Set', 'Record', 'Entity', 'Extension', 'Bool', 'Boolean', 'String', 'ipaddr', 'a b', 'if', 'A::B', '__cedar', '', 'EntityOrCommon', 'Action', 'U'])
		schemas.push({ '': base({ commonTypes: { c: T('Long'), rec: T('Record', { attributes: {} }), [name]: T('Long') } }) }, { '': base({ entityTypes: { U: {}, [name]: {} } }) }, { [name]: base({}) }, { N: base({ entityTypes: { U: {}, [name]: {} } }) }, { N: base({ commonTypes: { c: T('Long'), rec: T('Record', { attributes: {} }), [name]: T('Long') } }) });
	for (const o of [{ entityTypes: null }, { actions: null }, { commonTypes: null }, { entityTypes: [] }, { x: 1 }, { annotations: { a: 'b' } }, { annotations: { 'if': null } }])
		schemas.push({ '': base(o) }, { N: base(o) });
	schemas.push({}, [], null, { '': {} }, { '': { entityTypes: {} } }, { '': { actions: {} } }, { '': base({}), N: base({}) }, { N: base({ entityTypes: { V: { shape: T('Record', { attributes: { a: T('Entity', { name: 'U' }) } }) } }, actions: {} }), '': base({}) }, { N: base({ commonTypes: { c: T('d'), d: T('c') } }) }, { N: base({ commonTypes: { c: T('Set', { element: T('c') }), rec: T('c') } }) },
		{ N: base({ entityTypes: { U: {}, c: {} } }) }, { N: { entityTypes: {}, actions: { a: { memberOf: [{ id: 'b', type: 'M::Action' }] } } }, M: { entityTypes: {}, actions: { b: {} } } });
	return schemas.map((schema) => ({ schema, text: 'permit (principal, action, resource);', request: { principal: uid('U', 'u'), action: uid('Action', 'a'), resource: uid('U', 'u'), context: {} } }));
}

function* cases() {
	for (const e of paragraphs('corner_expressions.txt'))
		yield expression(e);
	for (const text of paragraphs('corner_policies.txt'))
		yield { text, schema: SCHEMA, entities: ENTITIES, request: REQUEST };
	for (const schema of paragraphs('corner_schemas.txt'))
		yield { schema, text: 'permit (principal, action, resource) when { principal.a == principal.a };', request: { principal: uid('U', 'u'), action: uid('Action', 'a'), resource: uid('U', 'u'), context: {} } };
	yield* extensions();
	yield* values();
	yield* entityLists();
	yield* requests();
	yield* jsonPolicies();
	yield* jsonSchemas();
}

module.exports = { cases };
