'use strict';
// Writes cases with the reference's answers, one JSON object a line:
//   node generate.cjs SEED COUNT FILE
// The reference is @cedar-policy/cedar-wasm at the version of the lock file.

const fs = require('fs');
const cedar = require('@cedar-policy/cedar-wasm/nodejs');
const { Random } = require('./random.cjs');
const world = require('./world.cjs');
const mutate = require('./mutate.cjs');
const { answer } = require('./answer.cjs');

const JSON_SCHEMA = cedar.schemaToJson(world.SCHEMA).json;

// The same policies as one JSON set, or null if one does not convert.
function jsonSet(texts, templates, links) {
	const set = { staticPolicies: {}, templates: {}, templateLinks: links };
	for (const [list, target, convert, prefix] of [[texts, set.staticPolicies, cedar.policyToJson, 'policy'], [templates, set.templates, cedar.templateToJson, 'template']]) {
		for (let i = 0; i < list.length; i++) {
			const answer = convert(list[i]);
			if (answer.type !== 'success')
				return null;
			target[`${prefix}${i}`] = answer.json;
		}
	}
	return set;
}

function makeLinks(r, templates) {
	const links = [];
	for (let i = r.below(4); templates.length > 0 && i > 0; i--) {
		const n = r.below(templates.length);
		const values = {};
		if (templates[n].includes('?principal') !== r.chance(0.05))
			values['?principal'] = { type: r.pick(['User', 'Group', 'Nope']), id: r.pick(['u0', 'g0', 'g1']) };
		if (templates[n].includes('?resource') !== r.chance(0.05))
			values['?resource'] = r.pick([{ type: 'Doc', id: 'd0' }, { type: 'Folder', id: 'f0' }, { __entity: { type: 'Doc', id: 'd1' } }]);
		links.push({ templateId: r.chance(0.03) ? 'nope' : `template${n}`, newId: r.chance(0.03) ? 'policy0' : `link${i}`, values });
	}
	return links;
}

function makeCase(r) {
	const depth = r.pick([0, 0, 1, 1, 2, 3]);
	const texts = Array.from({ length: 1 + r.pick([0, 0, 0, 1, 2, 4]) }, () => world.policy(r, false, depth));
	const templates = r.chance(0.4) ? Array.from({ length: 1 + r.below(2) }, () => world.policy(r, true, depth)) : [];
	const c = { entities: world.entities(r), request: world.request(r), schema: null };
	const form = r.below(10);
	if (form < 4 && templates.length === 0)
		c.text = texts.join('\n');
	else
		c.set = jsonSet(texts, templates, makeLinks(r, templates));
	if (c.set === null)
		return null;
	if (r.chance(0.75))
		c.schema = r.chance(0.5) ? world.SCHEMA : JSON_SCHEMA;
	const damage = r.below(12);
	if (damage === 0 && c.text)
		c.text = mutate.text(r, c.text);
	if (damage === 1 && c.set)
		c.set = mutate.json(r, c.set);
	if (damage === 2 && c.schema)
		c.schema = typeof c.schema === 'string' ? mutate.text(r, c.schema) : mutate.json(r, c.schema);
	if (damage === 3)
		c.entities = mutate.json(r, c.entities);
	if (damage === 4)
		c.request.context = mutate.json(r, c.request.context);
	return c;
}

function main() {
	const [seed, count, file] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
	const out = fs.openSync(file, 'w');
	for (let made = 0, n = 0; made < count; n++) {
		const c = makeCase(new Random(seed * 1000003 + n));
		if (c === null)
			continue;
		c.seed = [seed, n];
		c.expect = answer(c);
		fs.writeSync(out, JSON.stringify(c) + '\n');
		made++;
	}
	fs.closeSync(out);
}

main();
