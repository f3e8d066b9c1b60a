// The map's plane: two principal axes of the codes, or two dimensions of the code.

function makeProjection(app) {
  const mean = numbersOf(app.data.plane.mean);
  const axes = numbersOf(app.data.plane.axes); // (2, code size)
  const size = app.codeSize;
  const along = (k, i) => {
    const chosen = app.state.axes;
    return chosen ? Number(chosen[k] === i) : axes[k * size + i];
  };
  const centre = (i) => (app.state.axes ? 0 : mean[i]);
  return {
    // The place (u, v) of a code.
    project(z) {
      const place = [0, 0];
      for (let i = 0; i < size; i++) {
        for (let k = 0; k < 2; k++) place[k] += (z[i] - centre(i)) * along(k, i);
      }
      return place;
    },
    // The code at (u, v) that differs from z along the two axes only.
    lift(z, [u, v]) {
      const [u0, v0] = this.project(z);
      const moved = z.map((value, i) => value + (u - u0) * along(0, i) + (v - v0) * along(1, i));
      const chosen = app.state.axes; // exactly, without rounding
      if (chosen && chosen[0] !== chosen[1]) [moved[chosen[0]], moved[chosen[1]]] = [u, v];
      return moved;
    },
    // The half axes and angle of the ellipse in the plane for standard deviations sigma of the code.
    ellipse(sigma) {
      let [a, b, c] = [0, 0, 0]; // covariance [[a, b], [b, c]]
      for (let i = 0; i < size; i++) {
        const [p, q, s] = [along(0, i), along(1, i), sigma[i] ** 2];
        [a, b, c] = [a + s * p * p, b + s * p * q, c + s * q * q];
      }
      const [middle, spread] = [(a + c) / 2, Math.hypot((a - c) / 2, b)];
      const radii = [Math.sqrt(middle + spread), Math.sqrt(Math.max(middle - spread, 0))];
      return { radii, angle: Math.atan2(b, (a - c) / 2) / 2 };
    },
    names() {
      return app.state.axes ? app.state.axes.map((i) => `z${i}`) : ["principal axis 1", "principal axis 2"];
    },
    held() {
      const from = app.state.base === null ? "where they are" : `the values of sample ${app.state.base}`;
      if (size <= 2) return "The map shows the whole code.";
      if (!app.state.axes) return `All that the two axes leave of the code is held at ${from}.`;
      return `The other ${size - 2} dimensions are held at ${from}.`;
    },
  };
}
