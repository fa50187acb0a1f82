'use strict';
// The reference's answer to one case.

const cedar = require('@cedar-policy/cedar-wasm/nodejs');

// Whether the reference takes the input; a shape it cannot even read, it throws.
function ok(ask) {
	try {
		return ask().type === 'success';
	} catch (error) {
		if (error instanceof WebAssembly.RuntimeError)
			throw error;
		return false;
	}
}

function answer(c) {
	const policies = c.text !== undefined ? { staticPolicies: c.text } : c.set;
	const expect = { policies: ok(() => cedar.checkParsePolicySet(policies)) };
	expect.schema = c.schema === null || ok(() => cedar.checkParseSchema(c.schema));
	const schema = c.schema === null ? {} : { schema: c.schema };
	expect.valid = null;
	if (c.schema !== null && expect.policies && expect.schema) {
		const v = cedar.validate({ ...schema, policies });
		expect.valid = v.type === 'success' && v.validationErrors.length === 0;
	}
	expect.entities = expect.schema ? ok(() => cedar.checkParseEntities({ entities: c.entities, ...schema })) : null;
	expect.answer = null;
	if (expect.policies && expect.schema && expect.entities) {
		let a;
		const asked = () => (a = cedar.isAuthorized({ ...c.request, ...schema, validateRequest: c.schema !== null, policies, entities: c.entities }));
		if (ok(asked))
			expect.answer = { decision: a.response.decision, reason: a.response.diagnostics.reason,
				errors: a.response.diagnostics.errors.map((e) => e.policyId) };
	}
	return expect;
}

module.exports = { answer };
