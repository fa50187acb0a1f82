'use strict';
// The schema, entities, requests and policies that cases are made of.

const { Expressions, UIDS } = require('./expression.cjs');

const SCHEMA = `
type Deep = { x: Long };
type Sub = { n?: Long, deep?: Deep };
entity Group in [Group];
entity User in [Group] = { name: String, age?: Long, flag: Bool } tags Set<String>;
entity Folder in [Folder];
entity Doc in [Folder] { size: Long, owner: User, readers: Set<User>, meta?: { a: Long, b?: String } };
entity Color enum ["red", "green"];
namespace NS {
  entity Thing in [Group, Thing] = { kind: Color, at?: datetime, cost?: decimal, keep?: duration };
  action "do" in [Action::"all"] appliesTo { principal: [User, Thing], resource: [Thing, Doc], context: {} };
  action all;
}
action any;
action view, "edit" in [any] appliesTo {
  principal: [User], resource: [Doc, Folder],
  context: { n: Long, s: String, flag: Bool, opt?: String, sub?: Sub, list: Set<Long>, addr: ipaddr, when: datetime, who: User }
};
action read in [view, Action::"edit"] appliesTo { principal: User, resource: Doc };
`;

function entities(r) {
	const list = [];
	const uid = (type, id) => ({ type, id });
	for (let i = 0; i < 4; i++)
		list.push({ uid: uid('Group', `g${i}`), attrs: {}, parents: i > 0 && r.chance(0.7) ? [uid('Group', `g${r.below(i)}`)] : [] });
	for (let i = 0; i < 3; i++) {
		const attrs = { name: r.pick(['a', 'b', 'ab*c']), flag: r.chance(0.5) };
		if (r.chance(0.6))
			attrs.age = r.below(6);
		const entity = { uid: uid('User', `u${i}`), attrs, parents: r.chance(0.8) ? [uid('Group', `g${r.below(4)}`)] : [] };
		if (r.chance(0.6))
			entity.tags = { tag: r.pick([['a'], ['b', 'a'], []]) };
		list.push(entity);
	}
	for (let i = 0; i < 3; i++)
		list.push({ uid: uid('Folder', `f${i}`), attrs: {}, parents: i > 0 ? [uid('Folder', `f${i - 1}`)] : [] });
	for (let i = 0; i < 3; i++) {
		const attrs = { size: r.below(9), owner: { __entity: uid('User', `u${r.below(4)}`) }, readers: [uid('User', 'u0')].map((u) => ({ __entity: u })) };
		if (r.chance(0.5))
			attrs.meta = { a: 1, ...(r.chance(0.5) ? { b: 'x' } : {}) };
		list.push({ uid: uid('Doc', `d${i}`), attrs, parents: [uid('Folder', `f${r.below(3)}`)] });
	}
	const thing = { kind: { __entity: uid('Color', r.chance(0.97) ? 'red' : 'pink') } };
	if (r.chance(0.5))
		thing.at = r.pick(['2024-01-01', { __extn: { fn: 'datetime', arg: '2024-01-01' } }, { fn: 'datetime', arg: '2024-01-01' }]);
	if (r.chance(0.5))
		thing.cost = r.chance(0.05) ? 1.5 : r.pick(['1.5', { __extn: { fn: 'decimal', arg: '1.5' } }, { fn: 'decimal', arg: '-0.5' }]);
	list.push({ uid: uid('NS::Thing', 't0'), attrs: thing, parents: r.chance(0.5) ? [uid('Group', 'g0')] : [] });
	return list;
}

function context(r) {
	const c = { n: r.below(9) - 2, s: r.pick(['a', 'b', 'ab']), flag: r.chance(0.5), list: [1, 2, r.below(4)],
		addr: { __extn: { fn: 'ip', arg: r.pick(['10.0.0.7', '::1', '10.1.0.0/16']) } },
		when: { __extn: { fn: 'datetime', arg: '2024-06-01' } }, who: { __entity: { type: 'User', id: `u${r.below(4)}` } } };
	if (r.chance(0.5))
		c.opt = r.pick(['a', 'b']);
	if (r.chance(0.5))
		c.sub = r.pick([{ n: 3 }, {}, { n: 9, deep: { x: 1 } }]);
	return c;
}

function request(r) {
	const kind = r.below(10);
	const uid = (type, id) => ({ type, id });
	if (kind < 7)
		return { principal: uid('User', `u${r.below(4)}`), action: uid('Action', r.pick(['view', 'edit'])),
			resource: r.chance(0.7) ? uid('Doc', `d${r.below(4)}`) : uid('Folder', `f${r.below(3)}`), context: context(r) };
	if (kind === 7)
		return { principal: uid('User', 'u0'), action: uid('Action', 'read'), resource: uid('Doc', 'd0'), context: {} };
	if (kind === 8)
		return { principal: uid('NS::Thing', 't0'), action: uid('NS::Action', 'do'), resource: uid('NS::Thing', 't0'), context: {} };
	return { principal: uid('User', 'u1'), action: uid('Action', r.pick(['any', 'view', 'gone'])), resource: uid(r.pick(['Doc', 'Color']), 'red'), context: r.pick([{}, { n: 1 }, context(r)]) };
}

function scope(r, name, slot) {
	const target = () => (slot && r.chance(0.6) ? `?${name}` : r.pick(UIDS.slice(0, 12)));
	switch (r.below(6)) {
	case 0:
		return `${name} == ${target()}`;
	case 1:
		return `${name} in ${target()}`;
	case 2:
		return `${name} is ${r.pick(['User', 'Doc', 'NS::Thing', 'Group'])}`;
	case 3:
		return `${name} is ${r.pick(['User', 'Doc', 'Folder'])} in ${target()}`;
	default:
		return slot ? `${name} in ?${name}` : name;
	}
}

function actionScope(r) {
	return r.pick(['action', 'action', 'action == Action::"view"', 'action in Action::"any"', 'action in [Action::"view", Action::"edit"]',
		'action in []', 'action == NS::Action::"do"', 'action in [Action::"any", NS::Action::"all"]', 'action == Action::"gone"']);
}

// Text of one policy; with `slots` it is a template.
function policy(r, slots, depth) {
	const make = new Expressions(r);
	const notes = r.chance(0.2) ? '@id("x")\n@note\n' : '';
	let conditions = '';
	for (let i = r.below(3); i > 0; i--)
		conditions += ` ${r.pick(['when', 'when', 'unless'])} { ${make.bool(depth)} }`;
	const p = slots ? scope(r, 'principal', r.chance(0.8)) : scope(r, 'principal', false);
	const q = slots ? scope(r, 'resource', !p.includes('?') || r.chance(0.5)) : scope(r, 'resource', false);
	const last = slots && !p.includes('?') && !q.includes('?') ? 'resource == ?resource' : q;
	const effect = r.pick(['permit', 'permit', 'forbid']);
	// Most conditions only type-check where the context is that of view.
	if (!slots && r.chance(0.6))
		return `${notes}${effect} (${r.pick(['principal', 'principal is User'])}, action == Action::"view", resource is Doc)${conditions};`;
	return `${notes}${effect} (${p}, ${actionScope(r)}, ${last})${conditions};`;
}

module.exports = { SCHEMA, entities, context, request, policy };
