// Functions of neurons: f(x) = sum_k w_k (a_k . (x, 1))_+ on a grid, payoffs of an adversary over the sphere.

const ROWS = 61, COLUMNS = 120; // latitudes from south to north, longitudes from 0

// Values of f at side x side nodes of the box, row by row from below. directions: flat (3 K), weights: (K).
function evaluate(directions, weights, [x0, x1, y0, y1], side) {
  const out = new Float32Array(side * side), dx = (x1 - x0) / (side - 1), dy = (y1 - y0) / (side - 1);
  for (let k = 0; k < weights.length; k++) {
    const w = weights[k], a = directions[3 * k], b = directions[3 * k + 1], c = directions[3 * k + 2];
    if (w === 0) continue;
    for (let r = 0, i = 0; r < side; r++) {
      const base = b * (y0 + r * dy) + c + a * x0;
      for (let s = 0; s < side; s++, i++) {
        const v = base + a * dx * s;
        if (v > 0) out[i] += w * v;
      }
    }
  }
  return out;
}

// The payoff of the adversary p on these points: a -> 1/2 sum_i p_i y_i (a . z_i)_+ (sphere convention).
function payoffOf(points, p) {
  const paid = points.map(([x, y, label], i) => [x, y, 0.5 * label * p[i]]).filter((row) => row[2] !== 0);
  return (a, b, c) => {
    let sum = 0;
    for (const [x, y, q] of paid) {
      const v = a * x + b * y + c;
      if (v > 0) sum += q * v;
    }
    return sum;
  };
}

// The payoff in units of `level` on the grid of the sphere.
function potentialOf(payoff, level) {
  const out = new Float32Array(ROWS * COLUMNS);
  for (let r = 0, i = 0; r < ROWS; r++) {
    const latitude = Math.PI * (r / (ROWS - 1) - 0.5), flat = Math.cos(latitude), up = Math.sin(latitude);
    for (let c = 0; c < COLUMNS; c++, i++) {
      const longitude = (2 * Math.PI * c) / COLUMNS;
      out[i] = payoff(flat * Math.cos(longitude), flat * Math.sin(longitude), up) / level;
    }
  }
  return out;
}

// Longitudes from -pi to pi (with those of the atoms), and the largest |payoff| / level over latitude at each.
function skyline(payoff, level, atoms, count = 181) {
  const P = Math.PI, longitudes = Array.from({ length: count }, (_, k) => -P + (2 * P * k) / (count - 1));
  const latitudes = Array.from({ length: 91 }, (_, k) => P * (k / 90 - 0.5));
  for (const [a, b, c] of atoms) {
    longitudes.push(Math.atan2(b, a));
    latitudes.push(Math.asin(Math.max(-1, Math.min(1, c))));
  }
  longitudes.sort((u, v) => u - v);
  return longitudes.map((longitude) => {
    const a = Math.cos(longitude), b = Math.sin(longitude);
    let best = 0;
    for (const latitude of latitudes) {
      const flat = Math.cos(latitude);
      best = Math.max(best, Math.abs(payoff(flat * a, flat * b, Math.sin(latitude))));
    }
    return [longitude, best / level];
  });
}

export { COLUMNS, ROWS, evaluate, payoffOf, potentialOf, skyline };
