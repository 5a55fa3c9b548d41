/** Activation number `kind` as a function of one number. */
export function activationOf(kind: number): (x: number) => number {
  if (kind === 0) return (x) => x * normalCdf(x);
  if (kind === 1) return (x) => Math.max(0, x);
  if (kind === 2) return (x) => x * sigmoid(x);
  return (x) => x * tanhSoftplus(x);
}

/** Its derivative. */
export function slopeOf(kind: number): (x: number) => number {
  if (kind === 0)
    return (x) => normalCdf(x) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI);
  if (kind === 1) return (x) => (x > 0 ? 1 : 0);
  if (kind === 2) return (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x)));
  return (x) => tanhSoftplus(x) + x * sigmoid(x) * (1 - tanhSoftplus(x) ** 2);
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function tanhSoftplus(x: number): number {
  return Math.tanh(Math.log1p(Math.exp(Math.min(x, 30))));
}

function normalCdf(x: number): number {
  return 0.5 * (1 + erf(x / Math.SQRT2));
}

/** erf by its Taylor series near zero and the continued fraction of erfc beyond; about 1e-15. */
function erf(x: number): number {
  const z = Math.abs(x);
  if (z < 2.5) {
    let term = z;
    let sum = z;
    for (let n = 1; n < 60; n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n >= 1; n--) fraction = n / 2 / (z + fraction);
  return Math.sign(x) * (1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction));
}
