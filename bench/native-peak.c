/*
 * What one core multiplies and adds at most, by width of vectors: loops over registers alone, of
 * the instructions that the processor has. Prints one line each: unit, bits, billions of operations
 * a second (a multiplication and an addition are two), what computes.
 *   cc -O3 -march=native native-peak.c -o native-peak
 */
#include <stdio.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
/* The compiler may neither foresee a value nor take it out of its register. */
#define KEEP(x) __asm__ volatile("" : "+v"(x))
#elif defined(__aarch64__)
#include <arm_neon.h>
#define KEEP(x) __asm__ volatile("" : "+w"(x))
#endif

/* Enough for the latency of an addition times the additions that may begin in a cycle. */
enum { SUMS = 12, STEPS = 1 << 18, RUNS = 40 };

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

/* The fastest run of a loop; `body` changes s[i] by a and b. */
#define PEAK(unit, bits, type, operations, how, body)                       \
  do {                                                                      \
    double best = 1e9;                                                      \
    for (int run = 0; run < RUNS; run++) {                                  \
      type a = {0}, b = {0}, s[SUMS] = {{0}};                               \
      double started = seconds();                                           \
      for (int step = 0; step < STEPS; step++) {                            \
        _Pragma("GCC unroll 12") for (int i = 0; i < SUMS; i++) {           \
          KEEP(a);                                                          \
          body;                                                             \
          KEEP(s[i]);                                                       \
        }                                                                   \
      }                                                                     \
      double took = seconds() - started;                                    \
      if (took < best) best = took;                                         \
    }                                                                       \
    printf("%s %d %.1f %s\n", unit, bits,                                   \
           1e-9 * SUMS * STEPS * (operations) / best, how);                 \
  } while (0)

/* As WebAssembly computes, product and sum apart, and as one instruction. */
#define FLOATS(unit, element, bits)                                                   \
  do {                                                                                \
    typedef element vector __attribute__((vector_size(bits / 8)));                    \
    int operations = 2 * bits / 8 / (int)sizeof(element);                             \
    PEAK(unit, bits, vector, operations, "mul, add",                                  \
         vector product = a * b; KEEP(product); s[i] += product);                     \
    PEAK(unit, bits, vector, operations, "a * b + c", s[i] += a * b);                 \
  } while (0)

int main(void) {
#if defined(__x86_64__) || defined(__aarch64__)
  FLOATS("float32", float, 128);
  FLOATS("float64", double, 128);
#endif
#if defined(__AVX__)
  FLOATS("float32", float, 256);
  FLOATS("float64", double, 256);
#endif
#if defined(__AVX512F__)
  FLOATS("float32", float, 512);
  FLOATS("float64", double, 512);
#endif
#if defined(__x86_64__)
  PEAK("int16", 128, __m128i, 16, "pmaddwd, paddd",
       __m128i product = _mm_madd_epi16(a, b); KEEP(product); s[i] = _mm_add_epi32(s[i], product));
#endif
#if defined(__AVX2__)
  PEAK("int16", 256, __m256i, 32, "pmaddwd, paddd",
       __m256i product = _mm256_madd_epi16(a, b); KEEP(product);
       s[i] = _mm256_add_epi32(s[i], product));
#endif
#if defined(__AVX512BW__)
  PEAK("int16", 512, __m512i, 64, "pmaddwd, paddd",
       __m512i product = _mm512_madd_epi16(a, b); KEEP(product);
       s[i] = _mm512_add_epi32(s[i], product));
#endif
#if defined(__AVX512VNNI__)
  PEAK("int16", 512, __m512i, 64, "vpdpwssd", s[i] = _mm512_dpwssd_epi32(s[i], a, b));
  PEAK("int8", 512, __m512i, 128, "vpdpbusd", s[i] = _mm512_dpbusd_epi32(s[i], a, b));
#endif
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
  PEAK("int8", 256, __m256i, 64, "vpdpbusd", s[i] = _mm256_dpbusd_epi32(s[i], a, b));
#elif defined(__AVXVNNI__)
  PEAK("int8", 256, __m256i, 64, "vpdpbusd", s[i] = _mm256_dpbusd_avx_epi32(s[i], a, b));
#endif
#if defined(__ARM_FEATURE_DOTPROD)
  PEAK("int8", 128, int32x4_t, 32, "sdot",
       s[i] = vdotq_s32(s[i], vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b)));
#endif
  return 0;
}
