'use strict';
// Small damage to texts and data: most of it must be rejected, by both engines.

const TOKENS = /"(?:\\.|[^"\\])*"|[A-Za-z_]\w*|\d+|::|==|!=|<=|>=|&&|\|\||\s+|./gsu;
const EXTRA = ['(', ')', '{', '}', '[', ']', ',', ';', '!', '-', '.', '::', '?', '@', 'in', 'is', 'has', 'like', 'if', 'then', 'else', 'true',
	'__cedar', '"\\b"', '"\\u{d800}"', '"\\u{1_0}"', '"\\x80"', '/', '%', '=', '&', '\ufeff', '\u3000', '\u0085', '// c\n', '99999999999999999999',
	'9223372036854775808', 'principal', 'permit', '?principal', 'when', 'entity', 'tags', 'Set', '<', '>', 'enum', 'appliesTo', 'context', 'Bool', 'type'];

function text(r, source) {
	const tokens = source.match(TOKENS);
	for (let i = 1 + r.below(2); i > 0; i--) {
		const at = r.below(tokens.length);
		switch (r.below(4)) {
		case 0:
			tokens.splice(at, 1);
			break;
		case 1:
			tokens.splice(at, 0, r.pick(EXTRA));
			break;
		case 2:
			tokens[at] = r.pick(EXTRA);
			break;
		default:
			tokens[at] = r.pick(tokens);
		}
	}
	return tokens.join('');
}

const VALUES = [null, 1.5, 1, -3, true, 'x', '1.0', '10.0.0.1', [], {}, [1, [2]], [null], { type: 'User', id: 'u0' }, { __entity: { type: 'User', id: 'u0' } },
	{ __entity: { type: 'User' } }, { __entity: 'User' }, { __extn: { fn: 'ip', arg: '1.2.3.4' } }, { __extn: { fn: 'ip', arg: 'x' } },
	{ __extn: { fn: 'nope', arg: 'x' } }, { __extn: { fn: 'offset', args: [{ __extn: { fn: 'datetime', arg: '2024-01-01' } }, { __extn: { fn: 'duration', arg: '1h' } }] } },
	{ __expr: 'true' }, { fn: 'ip', arg: '1.2.3.4' }, { type: 'Action', id: 'view' }, { type: 'a b', id: 'x' }];

// Changes one random node of a JSON value, in a copy.
function json(r, value) {
	const copy = JSON.parse(JSON.stringify(value));
	const places = [];
	const walk = (node, depth) => {
		if (node === null || typeof node !== 'object' || depth > 12)
			return;
		for (const key of Object.keys(node)) {
			places.push([node, key]);
			walk(node[key], depth + 1);
		}
	};
	walk(copy, 0);
	if (places.length === 0)
		return copy;
	const [node, key] = r.pick(places);
	switch (r.below(4)) {
	case 0:
		if (Array.isArray(node))
			node.splice(Number(key), 1);
		else
			delete node[key];
		break;
	case 1:
		if (!Array.isArray(node))
			node[r.pick(['extra', 'type', 'id', 'tags', 'attr'])] = r.pick(VALUES.filter((v) => !Array.isArray(v)));
		else
			node.push(JSON.parse(JSON.stringify(r.pick(node))));
		break;
	default:
		{
			// The reference reads an array as an object's members in order, an
			// accident of its JSON library that this engine shares only for
			// arrays that say nothing; those are among the kept cases.
			const object = node[key] !== null && typeof node[key] === 'object' && !Array.isArray(node[key]);
			const value = r.pick(VALUES);
			if (!object || !Array.isArray(value))
				node[key] = JSON.parse(JSON.stringify(value));
		}
	}
	return copy;
}

module.exports = { text, json };
