#include "common/kx.h"

#include <sodium.h>
#include <string.h>

#include "tests/unit/unit.h"

static uint8_t role_pk[KX_LEN], role_sk[KX_LEN], vault_pk[KX_LEN], vault_sk[KX_LEN];

static void both_sides_agree(void)
{
	uint8_t a[KX_LEN] = {0}, b[KX_LEN] = {0};

	CHECK(upstream_key_agree(false, role_sk, role_pk, vault_pk, a) == 0);
	CHECK(upstream_key_agree(true, vault_sk, vault_pk, role_pk, b) == 0);
	CHECK(sodium_memcmp(a, b, KX_LEN) == 0);
	CHECK(!sodium_is_zero(a, KX_LEN));
}

static void sides_are_not_interchangeable(void)
{
	uint8_t a[KX_LEN], b[KX_LEN];

	CHECK(upstream_key_agree(false, role_sk, role_pk, vault_pk, a) == 0);
	CHECK(upstream_key_agree(true, role_sk, role_pk, vault_pk, b) == 0);
	CHECK(sodium_memcmp(a, b, KX_LEN) != 0);
}

static void a_third_key_gives_another(void)
{
	uint8_t pk[KX_LEN], sk[KX_LEN], a[KX_LEN], b[KX_LEN];

	upstream_key_pair(pk, sk);
	CHECK(upstream_key_agree(false, role_sk, role_pk, vault_pk, a) == 0);
	CHECK(upstream_key_agree(true, sk, vault_pk, role_pk, b) == 0);
	CHECK(sodium_memcmp(a, b, KX_LEN) != 0);
}

static void small_order_is_refused(void)
{
	static const uint8_t zero[KX_LEN], one[KX_LEN] = {1};
	uint8_t key[KX_LEN];

	memset(key, 7, sizeof(key));
	CHECK(upstream_key_agree(false, role_sk, role_pk, zero, key) == KG_E_CRYPTO);
	CHECK(upstream_key_agree(false, role_sk, role_pk, one, key) == KG_E_CRYPTO);
	CHECK(key[0] == 7 && key[31] == 7);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	upstream_key_pair(role_pk, role_sk);
	upstream_key_pair(vault_pk, vault_sk);
	RUN(both_sides_agree);
	RUN(sides_are_not_interchangeable);
	RUN(a_third_key_gives_another);
	RUN(small_order_is_refused);
	return unit_end();
}
