/* The table of the guardian's orders. */
#include "vaultd/store.h"
#include "vaultd/store_sql.h"

static int read_order(const struct store_call *c, struct store_order *out)
{
	int r;

	*out = (struct store_order){
		.row = store_int(c, 0),
		.id = store_int(c, 1),
		.act = (uint8_t)store_int(c, 2),
		.server = store_text(c, 4),
		.tool = store_text(c, 5),
		.tier = (uint8_t)store_int(c, 6),
		.rate = (uint32_t)store_int(c, 7),
		.since = store_int(c, 8),
		.until = store_int(c, 9),
		.rule = store_text(c, 10),
		.incident = store_text(c, 11),
		.reason = store_text(c, 12),
		.by = store_text(c, 13),
	};
	r = store_blob(c, 3, out->session, ID_LEN);
	return r == KG_OK ? store_blob(c, 14, out->consent, ID_LEN) : r;
}

int store_orders_each(struct store *s, store_order_fn fn, void *arg)
{
	struct store_call c = store_call(s, SQL_ORDERS);
	struct store_order x;
	int r;

	while ((r = store_next(&c)) == 1) {
		r = read_order(&c, &x);
		if (r == KG_OK)
			r = fn(&x, arg);
		if (r != KG_OK) {
			store_done(&c);
			return r;
		}
	}
	return r;
}

int store_order_put(struct store *s, const struct store_order *x)
{
	struct store_call c = store_call(s, SQL_ORDER_PUT);

	store_put_int(&c, x->row);
	store_put_int(&c, x->id);
	store_put_int(&c, x->act);
	store_put_blob(&c, x->session, ID_LEN);
	store_put_text(&c, x->server);
	store_put_text(&c, x->tool);
	store_put_int(&c, x->tier);
	store_put_int(&c, x->rate);
	store_put_int(&c, x->since);
	store_put_int(&c, x->until);
	store_put_text(&c, x->rule);
	store_put_text(&c, x->incident);
	store_put_text(&c, x->reason);
	store_put_text(&c, x->by);
	store_put_blob(&c, x->consent, ID_LEN);
	return store_run(&c);
}

int store_order_drop(struct store *s, uint64_t row)
{
	struct store_call c = store_call(s, SQL_ORDER_DROP);

	store_put_int(&c, row);
	return store_run(&c);
}
