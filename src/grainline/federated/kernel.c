/* Modular arithmetic on eight numbers at once, for kernel.py, which says what it is for and checks what it hands over.

   A number is a row of `stride` limbs of 52 bits, lowest first, in Montgomery form: x * R mod n, R = 2 ** (52 * limbs).
   A context is an array of 64-bit words: limbs (a multiple of 4), stride (of 8), -1/n modulo 2**52, five not used, then
   n, R * R mod n and R mod n as rows. Eight rows are worked on together, one in each lane of AVX-512 registers, with the
   52-bit products of IFMA (Gueron and Krasnov, "Accelerating big integer arithmetic using Intel IFMA extensions", ARITH
   2016). Products stay below 2n, which takes 4n < R, and are reduced when they leave (Walter, "Montgomery exponentiation
   needs no final subtractions", Electronics Letters 1999).

   Rows beyond `count` are never touched; lanes without a row work on the number 1 and are thrown away. Nothing is kept
   between calls. Nothing here is in constant time. */

#if defined(__x86_64__)

#include <immintrin.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LIMBS_MAX 320
#define BYTES_MAX 2080

typedef uint64_t u64;
typedef unsigned __int128 u128;

#define CONTEXT_ROWS 8
#define MODULUS(context) ((context) + CONTEXT_ROWS)
#define R_SQUARED(context) ((context) + CONTEXT_ROWS + (context)[1])
#define ONE(context) ((context) + CONTEXT_ROWS + 2 * (context)[1])

#define TARGET __attribute__((target("avx512f,avx512ifma")))
#define LANES 8
#define LIMB 52

/* Turn eight registers with a row each into eight with a limb each, or back. */
static inline TARGET void turn(__m512i t[8]) {
    __m512i p[8], s[8];
    for (int i = 0; i < 4; i++) {
        p[2 * i] = _mm512_unpacklo_epi64(t[2 * i], t[2 * i + 1]);
        p[2 * i + 1] = _mm512_unpackhi_epi64(t[2 * i], t[2 * i + 1]);
    }
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++) {
            s[4 * i + k] = _mm512_shuffle_i64x2(p[4 * i + k], p[4 * i + 2 + k], 0x88);
            s[4 * i + 2 + k] = _mm512_shuffle_i64x2(p[4 * i + k], p[4 * i + 2 + k], 0xdd);
        }
    for (int k = 0; k < 4; k++) {
        t[k] = _mm512_shuffle_i64x2(s[k], s[4 + k], 0x88);
        t[4 + k] = _mm512_shuffle_i64x2(s[k], s[4 + k], 0xdd);
    }
}

static inline TARGET void load(__m512i *into, const u64 *const rows[], const u64 *context) {
    for (u64 at = 0; at < context[1]; at += 8) {
        __m512i t[8];
        for (int lane = 0; lane < 8; lane++) t[lane] = _mm512_loadu_si512(rows[lane] + at);
        turn(t);
        for (int limb = 0; limb < 8; limb++) into[at + limb] = t[limb];
    }
}

static inline TARGET void store(u64 *const rows[], const __m512i *from, const u64 *context) {
    const u64 limbs = context[0];
    for (u64 at = 0; at < context[1]; at += 8) {
        __m512i t[8];
        for (u64 limb = 0; limb < 8; limb++) t[limb] = at + limb < limbs ? from[at + limb] : _mm512_setzero_si512();
        turn(t);
        for (int lane = 0; lane < 8; lane++) _mm512_storeu_si512(rows[lane] + at, t[lane]);
    }
}

/* Add four limbs times four limbs to seven columns; low and high halves apart, so that no sum waits for another. */
#define LOW(column, one, other) low[column] = _mm512_madd52lo_epu64(low[column], one, other)
#define HIGH(column, one, other) high[column] = _mm512_madd52hi_epu64(high[column], one, other)
#define FOUR(i, one)                                                                                                \
    LOW(i, one, b0), HIGH(i, one, b0), LOW(i + 1, one, b1), HIGH(i + 1, one, b1), LOW(i + 2, one, b2),              \
        HIGH(i + 2, one, b2), LOW(i + 3, one, b3), HIGH(i + 3, one, b3)

static inline __attribute__((always_inline)) TARGET void add_block(
    __m512i low[7], __m512i high[7], const __m512i *a, __m512i b0, __m512i b1, __m512i b2, __m512i b3) {
    const __m512i a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3];
    FOUR(0, a0);
    FOUR(1, a1);
    FOUR(2, a2);
    FOUR(3, a3);
}

/* out = a * b / R modulo n in each lane, below 2n if a and b are; limbs below 2**52. `out` may be a or b. By columns,
   four at a time: a column has at most 4 * LIMBS_MAX halves below 2**52, and a carry, which stays below 2**64. */
static inline __attribute__((always_inline)) TARGET void product_of(
    __m512i *out, const __m512i *a, const __m512i *b, const u64 *context, const int is_square) {
    const long blocks = (long)context[0] / 4;
    const u64 *n = MODULUS(context);
    const __m512i zero = _mm512_setzero_si512(), mask = _mm512_set1_epi64((1LL << 52) - 1);
    const __m512i inverse = _mm512_set1_epi64((long long)context[2]);
    __m512i q[LIMBS_MAX], column[8];
    for (int i = 0; i < 8; i++) column[i] = zero;
    for (long block = 0; block < 2 * blocks; block++) {
        __m512i low[7] = {zero, zero, zero, zero, zero, zero, zero};
        __m512i high[7] = {zero, zero, zero, zero, zero, zero, zero};
        const long first = block < blocks ? 0 : block - blocks + 1;
        const long last = block < blocks ? block : blocks - 1;
        for (long i = first; is_square ? 2 * i < block : i <= last; i++) {
            const __m512i *with = b + 4 * (block - i);
            add_block(low, high, a + 4 * i, with[0], with[1], with[2], with[3]);
        }
        if (is_square) {
            for (int i = 0; i < 7; i++) {
                low[i] = _mm512_add_epi64(low[i], low[i]);
                high[i] = _mm512_add_epi64(high[i], high[i]);
            }
            const __m512i *with = a + 2 * block;
            if (block % 2 == 0 && block / 2 < blocks) add_block(low, high, with, with[0], with[1], with[2], with[3]);
        }
        for (int i = 0; i < 4; i++) low[i] = _mm512_add_epi64(low[i], column[4 + i]);
        for (long i = first; i <= (block < blocks ? block - 1 : last); i++) {
            const u64 *with = n + 4 * (block - i);
            add_block(low, high, q + 4 * i, _mm512_set1_epi64((long long)with[0]),
                       _mm512_set1_epi64((long long)with[1]), _mm512_set1_epi64((long long)with[2]),
                       _mm512_set1_epi64((long long)with[3]));
        }
        column[0] = low[0];
        for (int i = 1; i < 7; i++) column[i] = _mm512_add_epi64(low[i], high[i - 1]);
        column[7] = high[6];
        for (int i = 0; i < 4; i++) {
            if (block < blocks) {
                const __m512i one = _mm512_madd52lo_epu64(zero, column[i], inverse);
                q[4 * block + i] = one;
                for (int j = 0; j < 4; j++) {
                    const __m512i with = _mm512_set1_epi64((long long)n[j]);
                    column[i + j] = _mm512_madd52lo_epu64(column[i + j], one, with);
                    column[i + j + 1] = _mm512_madd52hi_epu64(column[i + j + 1], one, with);
                }
            } else {
                out[4 * (block - blocks) + i] = _mm512_and_si512(column[i], mask);
            }
            column[i + 1] = _mm512_add_epi64(column[i + 1], _mm512_srli_epi64(column[i], 52));
        }
    }
}

static TARGET void product(__m512i *out, const __m512i *a, const __m512i *b, const u64 *context) {
    product_of(out, a, b, context, 0);
}

static TARGET void square(__m512i *out, const __m512i *a, const u64 *context) { product_of(out, a, a, context, 1); }

#define PIECE 16 /* numbers multiplied one after the other before a group goes on in another lane */

static inline TARGET void read_bytes(u64 *row, const u64 *context, const uint8_t *bytes, long size, int is_big) {
    uint8_t padded[BYTES_MAX + 16];
    if (is_big)
        for (long at = 0; at < size; at++) padded[at] = bytes[size - 1 - at];
    else
        memcpy(padded, bytes, (size_t)size);
    memset(padded + size, 0, sizeof padded - (size_t)size);
    memset(row, 0, context[1] * sizeof(u64));
    for (u64 limb = 0; limb < context[0]; limb++) {
        const u64 bit = limb * LIMB;
        u64 word;
        if ((long)(bit / 8) >= size) break;
        memcpy(&word, padded + bit / 8, sizeof word);
        row[limb] = word >> bit % 8 & (~(u64)0 >> (64 - LIMB));
    }
}

/* Write a row below 2n that is out of Montgomery form, reduced. */
static inline TARGET void write_bytes(uint8_t *bytes, u64 *row, const u64 *context, long size) {
    const u64 limbs = context[0], mask = ~(u64)0 >> (64 - LIMB), *n = MODULUS(context);
    u64 less[LIMBS_MAX], borrow = 0;
    for (u64 limb = 0; limb < limbs; limb++) {
        const u128 t = (u128)row[limb] - n[limb] - borrow;
        less[limb] = (u64)t & mask;
        borrow = (u64)(t >> 64) & 1;
    }
    const u64 *from = borrow ? row : less;
    u128 waiting = 0;
    int bits = 0;
    long at = 0;
    for (u64 limb = 0; limb < limbs; limb++) {
        waiting |= (u128)from[limb] << bits;
        for (bits += LIMB; bits >= 8 && at < size; bits -= 8, waiting >>= 8) bytes[at++] = (uint8_t)waiting;
        if (at == size) return;
    }
    while (at < size) {
        bytes[at++] = (uint8_t)waiting;
        waiting >>= 8;
    }
}

static inline TARGET void load_from(__m512i *into, const u64 *rows, long first, long count, const u64 *context) {
    const u64 *pointers[LANES];
    for (int lane = 0; lane < LANES; lane++)
        pointers[lane] = first + lane < count ? rows + (first + lane) * (long)context[1] : ONE(context);
    load(into, pointers, context);
}

static inline TARGET void store_to(u64 *rows, const __m512i *from, long first, long count, const u64 *context) {
    u64 *pointers[LANES], aside[LIMBS_MAX];
    for (int lane = 0; lane < LANES; lane++)
        pointers[lane] = first + lane < count ? rows + (first + lane) * (long)context[1] : aside;
    store(pointers, from, context);
}

static inline TARGET void load_one(__m512i *into, const u64 *row, const u64 *context) {
    const u64 *pointers[LANES];
    for (int lane = 0; lane < LANES; lane++) pointers[lane] = row;
    load(into, pointers, context);
}

/* Read numbers below n of `size` bytes each. */
TARGET void grainline_enter(const u64 *context, u64 *rows, const uint8_t *bytes, long count, long size, int is_big) {
    __m512i numbers[LIMBS_MAX], r_squared[LIMBS_MAX];
    load_one(r_squared, R_SQUARED(context), context);
    for (long row = 0; row < count; row++)
        read_bytes(rows + row * (long)context[1], context, bytes + row * size, size, is_big);
    for (long row = 0; row < count; row += LANES) {
        load_from(numbers, rows, row, count, context);
        product(numbers, numbers, r_squared, context);
        store_to(rows, numbers, row, count, context);
    }
}

/* Write numbers below n as `size` bytes each, lowest first. */
TARGET void grainline_leave(const u64 *context, uint8_t *bytes, const u64 *rows, long count, long size) {
    __m512i numbers[LIMBS_MAX], unit[LIMBS_MAX];
    u64 plain[LANES * LIMBS_MAX], row_of_unit[LIMBS_MAX] = {1};
    load_one(unit, row_of_unit, context);
    for (long row = 0; row < count; row += LANES) {
        const long here = count - row < LANES ? count - row : LANES;
        load_from(numbers, rows, row, count, context);
        product(numbers, numbers, unit, context);
        store_to(plain, numbers, 0, here, context);
        for (long lane = 0; lane < here; lane++)
            write_bytes(bytes + (row + lane) * size, plain + lane * (long)context[1], context, size);
    }
}

/* out[i] = one[i] * other[i], or * other[0] for all. `out` may be `one`. */
TARGET void grainline_multiply(const u64 *context, u64 *out, const u64 *one, const u64 *other, long count, int is_same) {
    __m512i numbers[LIMBS_MAX], factors[LIMBS_MAX];
    if (is_same) load_one(factors, other, context);
    for (long row = 0; row < count; row += LANES) {
        load_from(numbers, one, row, count, context);
        if (!is_same) load_from(factors, other, row, count, context);
        product(numbers, numbers, factors, context);
        store_to(out, numbers, row, count, context);
    }
}

/* Square each row so many times. */
TARGET void grainline_square(const u64 *context, u64 *rows, long count, long times) {
    __m512i numbers[LIMBS_MAX];
    for (long row = 0; row < count; row += LANES) {
        load_from(numbers, rows, row, count, context);
        for (long time = 0; time < times; time++) square(numbers, numbers, context);
        store_to(rows, numbers, row, count, context);
    }
}

/* Multiply each row with one entry of each table: windows[table][row] is its number. */
TARGET void grainline_fixed(const u64 *context, u64 *rows, long count, const u64 *tables, const uint32_t *windows,
                        long windows_count, long entries) {
    __m512i numbers[LIMBS_MAX], factors[LIMBS_MAX];
    const long stride = (long)context[1];
    for (long row = 0; row < count; row += LANES) {
        const u64 *pointers[LANES], *following[LANES];
        load_from(numbers, rows, row, count, context);
        for (long window = 0; window <= windows_count; window++) {
            for (int lane = 0; lane < LANES; lane++) {
                following[lane] = ONE(context);
                if (window < windows_count && row + lane < count)
                    following[lane] = tables + (window * entries + windows[window * count + row + lane]) * stride;
                for (long at = 0; at < stride; at += 8) __builtin_prefetch(following[lane] + at);
            }
            if (window) {
                load(factors, pointers, context);
                product(numbers, numbers, factors, context);
            }
            memcpy(pointers, following, sizeof pointers);
        }
        store_to(rows, numbers, row, count, context);
    }
}

/* Raise each row to one exponent, given as digits of four bits, highest first. Returns whether there was memory. */
TARGET int grainline_power(const u64 *context, u64 *rows, long count, const uint8_t *digits, long digits_count) {
    const size_t limbs = context[1];
    __m512i *powers = aligned_alloc(64, 16 * limbs * sizeof(__m512i)), numbers[LIMBS_MAX];
    if (!powers) return 0;
    load_one(powers, ONE(context), context);
    for (long row = 0; row < count; row += LANES) {
        load_from(powers + limbs, rows, row, count, context);
        for (size_t i = 2; i < 16; i++)
            product(powers + i * limbs, powers + (i - 1) * limbs, powers + limbs, context);
        memcpy(numbers, powers, limbs * sizeof(__m512i));
        for (long digit = 0; digit < digits_count; digit++) {
            for (int i = 0; digit && i < 4; i++) square(numbers, numbers, context);
            product(numbers, numbers, powers + digits[digit] * limbs, context);
        }
        store_to(rows, numbers, row, count, context);
    }
    free(powers);
    return 1;
}

/* Multiply each piece of `order`, from starts[piece] up to starts[piece + 1]: a lane for each, and a new one when done. */
static TARGET void multiply_pieces(const u64 *context, u64 *out, const u64 *rows, const int64_t *order,
                                const int64_t *starts, long pieces) {
    __m512i numbers[LIMBS_MAX], factors[LIMBS_MAX];
    const long stride = (long)context[1], limbs = (long)context[0];
    long piece[LANES], at[LANES], next = 0;
    for (int lane = 0; lane < LANES; lane++) piece[lane] = -1;
    load_one(numbers, ONE(context), context);
    for (;;) {
        const u64 *pointers[LANES];
        int busy = 0;
        for (int lane = 0; lane < LANES; lane++) {
            u64 *own = (u64 *)numbers + lane;
            while (piece[lane] < 0 || at[lane] == starts[piece[lane] + 1]) {
                if (piece[lane] >= 0) {
                    u64 *done = out + piece[lane] * stride;
                    for (long limb = 0; limb < stride; limb++) done[limb] = limb < limbs ? own[limb * LANES] : 0;
                    piece[lane] = -1;
                }
                if (next == pieces) break;
                piece[lane] = next++;
                at[lane] = starts[piece[lane]];
                const u64 *first = ONE(context);
                if (at[lane] < starts[piece[lane] + 1]) first = rows + order[at[lane]++] * stride;
                for (long limb = 0; limb < limbs; limb++) own[limb * LANES] = first[limb];
            }
            pointers[lane] = piece[lane] < 0 ? ONE(context) : rows + order[at[lane]++] * stride;
            busy |= piece[lane] >= 0;
        }
        if (!busy) return;
        load(factors, pointers, context);
        product(numbers, numbers, factors, context);
    }
}

/* Cut what belongs to each group into pieces; begin[g] becomes the first piece of group g. Returns how many they are. */
static long cut(int64_t *starts, int64_t *begin, long groups_count) {
    long pieces = 0;
    for (long g = 0; g < groups_count; g++) {
        const int64_t first = begin[g], end = begin[g + 1];
        begin[g] = pieces;
        starts[pieces++] = first;
        for (int64_t at = first + PIECE; at < end; at += PIECE) starts[pieces++] = at;
    }
    starts[pieces] = begin[groups_count];
    begin[groups_count] = pieces;
    return pieces;
}

/* out[g] = the product of all rows whose group is g, of none 1. Returns whether there was memory. */
TARGET int grainline_totals(const u64 *context, u64 *out, const u64 *rows, const int64_t *groups, long count,
                        long groups_count) {
    const size_t most = (size_t)groups_count + (size_t)count / PIECE + 1;
    const size_t bytes = most * context[1] * sizeof(u64);
    int64_t *order = malloc(((size_t)count + most) * sizeof *order), *starts = malloc((most + 1) * sizeof *starts);
    int64_t *begin = calloc((size_t)groups_count + 1, sizeof *begin);
    u64 *aside[2] = {NULL, NULL};
    int is_done = order && starts && begin;
    if (is_done) {
        for (long i = 0; i < count; i++) begin[groups[i]]++;
        for (long g = 0, sum = 0; g <= groups_count; g++) begin[g] = sum += g < groups_count ? begin[g] : 0;
        for (long i = count - 1; i >= 0; i--) order[--begin[groups[i]]] = i;
    }
    for (int turn = 0; is_done; turn ^= 1) {
        const long pieces = cut(starts, begin, groups_count);
        if (pieces == groups_count) {
            multiply_pieces(context, out, rows, order, starts, pieces);
            break;
        }
        if (!aside[turn] && !(aside[turn] = malloc(bytes))) {
            is_done = 0;
            break;
        }
        multiply_pieces(context, aside[turn], rows, order, starts, pieces);
        rows = aside[turn];
        for (long i = 0; i < pieces; i++) order[i] = i;
    }
    free(order), free(starts), free(begin), free(aside[0]), free(aside[1]);
    return is_done;
}


int grainline_kernel_runs(void) { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512ifma"); }

#else

int grainline_kernel_runs(void) { return 0; }

#endif
