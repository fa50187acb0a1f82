/* A signed set that ends while it is in force: from then on nothing decides, until another is loaded. */
#include "gatewayd/broker/policies_in.h"

#include <stdio.h>
#include <time.h>

#include "common/log.h"
#include "gatewayd/broker/broker.h"

#define LOOK_S 30u
#define WARN_S 86400u
#define SECOND_NS 1000000000ull

/* By the clock that says more time has passed: setting the system's back does not make an ended set live again. */
static uint64_t left_s(const struct policies_expiry *x)
{
	uint64_t now = broker_unix_now(), ns = loop_now_ns();
	uint64_t wall = now < x->at_unix ? x->at_unix - now : 0;
	uint64_t passed = ns < x->until_ns ? (x->until_ns - ns + SECOND_NS - 1) / SECOND_NS : 0;

	return wall < passed ? wall : passed;
}

const char *policies_expired(const struct policies *p)
{
	return p->expiry.at_unix != 0 && left_s(&p->expiry) == 0 ? p->expiry.why : NULL;
}

static void on_recorded(struct broker *b, bool durable, void *arg)
{
	bool *told = arg;

	(void)b;
	if (!durable)
		*told = false;
}

static void tell(struct policies *p, const char *kind, bool *told)
{
	char hex[POLICY_HEX_SIZE];

	policies_hex(hex, p->hash);
	*told = events_send(p->b, kind,
			    json_pack("{s:s, s:I, s:I}", "sha256", hex, "revision", (json_int_t)p->folder.dir.revision,
				      "expires", (json_int_t)p->expiry.at_unix),
			    on_recorded, told) == KG_OK;
}

/* Once for each time that it comes true, and again where it could not be put on record. */
static void look(struct policies *p)
{
	struct policies_expiry *x = &p->expiry;
	uint64_t left = left_s(x);

	if (left > 0)
		x->told_end = false;
	if (left == 0 && !x->told_end) {
		log_warn("policies: %s", x->why);
		tell(p, "policy.expired", &x->told_end);
	} else if (left > 0 && left <= WARN_S && !x->told_soon) {
		log_warn("policies: the signed set ends in %llu minutes: sign one that ends later, then: keepgate "
			 "policy load",
			 (unsigned long long)(left / 60));
		tell(p, "policy.expiring", &x->told_soon);
	}
}

/* Looks often: how far away the end is can change with the system's clock. */
static void look_again(struct policies *p)
{
	uint64_t left = left_s(&p->expiry);
	const struct timeval wait = {left > 0 && left < LOOK_S ? (time_t)left : LOOK_S, 0};

	(void)event_add(p->expiry.timer, &wait);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct policies *p = arg;

	(void)fd, (void)what;
	look(p);
	look_again(p);
}

void policies_expiry_new(struct policies *p)
{
	p->expiry.timer = evtimer_new(loop_base(p->b->loop), on_look, p);
	if (p->expiry.timer == NULL)
		log_fatal(KG_EXIT_FAILURE, "policies: out of memory");
}

void policies_expiry_free(struct policies *p)
{
	event_free(p->expiry.timer);
}

static void put_why(const struct policies *p, char *out, size_t size)
{
	time_t at = (time_t)p->expiry.at_unix;
	char when[32] = "";
	struct tm tm;

	if (gmtime_r(&at, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%SZ", &tm);
	snprintf(out, size,
		 "the signed set of revision %llu has ended (%s): an operator signs one that ends later, and loads it "
		 "(keepgate policy sign, keepgate policy load)",
		 (unsigned long long)p->folder.dir.revision, when);
}

void policies_expiry_begin(struct policies *p)
{
	struct policies_expiry *x = &p->expiry;
	uint64_t at = p->folder.dir.expires_unix, now = broker_unix_now(), left = at > now ? at - now : 0;
	uint64_t most = UINT64_MAX / 4 / SECOND_NS;
	const struct timeval soon = {0, 0};

	x->told_soon = x->told_end = false;
	x->at_unix = at;
	(void)event_del(x->timer);
	if (at == 0)
		return;
	x->until_ns = loop_now_ns() + (left < most ? left : most) * SECOND_NS;
	put_why(p, x->why, sizeof(x->why));
	/* In a moment the new set is the one that it is told of. */
	(void)event_add(x->timer, &soon);
}

json_t *policies_expiry_at(const struct policies *p)
{
	return p->expiry.at_unix == 0 ? json_null() : json_integer((json_int_t)p->expiry.at_unix);
}

json_t *policies_expiry_left(const struct policies *p)
{
	return p->expiry.at_unix == 0 ? json_null() : json_integer((json_int_t)left_s(&p->expiry));
}
