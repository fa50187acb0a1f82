'use strict';
// Hand-made corner cases with the reference's answers, one JSON object a line:
//   node corners.cjs FILE
// What random cases seldom reach: the lexer's corners, each form of the schema,
// extension values at their limits, types that only just unite.

const fs = require('fs');
const { answer } = require('./answer.cjs');
const corners = require('./corner_list.cjs');

const EMPTY = { principal: { type: 'U', id: 'u' }, action: { type: 'Action', id: 'a' }, resource: { type: 'R', id: 'r' }, context: {} };

function main() {
	const out = fs.openSync(process.argv[2], 'w');
	for (const given of corners.cases()) {
		const c = { entities: [], request: EMPTY, schema: null, ...given };
		if (c.text === undefined && c.set === undefined)
			c.text = '';
		c.expect = answer(c);
		fs.writeSync(out, JSON.stringify(c) + '\n');
	}
	fs.closeSync(out);
}

main();
