/* Check digits of numbers that name people, cards and accounts. Each takes the letters without separators. */
#ifndef INSPECT_NUMBER_CHECK_H
#define INSPECT_NUMBER_CHECK_H

#include <stdbool.h>
#include <stddef.h>

bool number_luhn(const char *p, size_t n);
bool number_card(const char *p, size_t n);   /* ISO/IEC 7812: issuer and length, then Luhn */
bool number_iban(const char *p, size_t n);   /* ISO 13616: length of the country, modulo 97 */
bool number_us_ssn(const char *p, size_t n); /* areas and groups that are given out */
bool number_us_itin(const char *p, size_t n);
bool number_pl_pesel(const char *p, size_t n);
bool number_tr_kimlik(const char *p, size_t n);
bool number_de_tax(const char *p, size_t n); /* ISO 7064 modulo 11, 10; one digit stands two or three times */
bool number_br_cpf(const char *p, size_t n);
bool number_ca_sin(const char *p, size_t n);
bool number_au_tfn(const char *p, size_t n);
bool number_uk_nhs(const char *p, size_t n);
bool number_uk_nino(const char *p, size_t n);
bool number_in_aadhaar(const char *p, size_t n); /* Verhoeff */
bool number_in_pan(const char *p, size_t n);
bool number_kr_rrn(const char *p, size_t n); /* form and date; the digit is random since 2020 */
bool number_sg_fin(const char *p, size_t n);
bool number_za_id(const char *p, size_t n);
bool number_th_id(const char *p, size_t n);
bool number_fr_nir(const char *p, size_t n);
bool number_nl_bsn(const char *p, size_t n);
bool number_cn_id(const char *p, size_t n); /* GB 11643: ISO 7064 modulo 11, 2 */
bool number_es_nif(const char *p, size_t n);
bool number_it_fiscal(const char *p, size_t n);
bool number_fi_hetu(const char *p, size_t n);
bool number_se_person(const char *p, size_t n);

#endif
