package org.repopt4j.optim;

import java.util.ArrayList;
import java.util.List;
import org.repopt4j.csla.Branch;
import org.repopt4j.csla.GradMult;
import org.repopt4j.csla.KernelShape;

/**
 * The updates element by element in Java doubles, written from the formulas of the paper and of the
 * official Python files, apart from every tensor operation of the library.
 */
final class NaiveUpdate {
  final double[] p;
  private final double[][] scales;
  private double[] momentumBuffer;
  private final double[] m;
  private final double[] v;
  private final double[] max;
  private long steps;

  /** A parameter with, for each of its elements, the scales of the branches that reach it. */
  NaiveUpdate(double[] p, GradMult mult) {
    this.p = p.clone();
    this.scales = mult == null ? null : scalesOfElements(mult);
    this.m = new double[p.length];
    this.v = new double[p.length];
    this.max = new double[p.length];
  }

  private static double[][] scalesOfElements(GradMult mult) {
    KernelShape shape = mult.shape();
    int wide = shape.inPerGroup();
    List<double[]> elements = new ArrayList<>();
    for (int o = 0; o < shape.out(); o++) {
      for (int i = 0; i < wide; i++) {
        for (int y = 0; y < shape.kh(); y++) {
          for (int x = 0; x < shape.kw(); x++) {
            List<Double> reached = new ArrayList<>();
            for (Branch b : mult.branches()) {
              int input = o / (shape.out() / shape.groups()) * wide + i;
              boolean sameGroup =
                  o / (shape.out() / b.groups()) == input / (shape.in() / b.groups());
              boolean inWindow =
                  Math.abs(y - shape.kh() / 2) <= b.kh() / 2
                      && Math.abs(x - shape.kw() / 2) <= b.kw() / 2;
              if (sameGroup && inWindow) {
                reached.add(b.scale(o));
              }
            }
            elements.add(reached.stream().mapToDouble(Double::doubleValue).toArray());
          }
        }
      }
    }
    return elements.toArray(new double[0][]);
  }

  void sgd(double[] grad, double lr, double wd, SgdOptions options) {
    boolean first = momentumBuffer == null;
    if (first) {
      momentumBuffer = new double[p.length];
    }
    for (int e = 0; e < p.length; e++) {
      double d = options.maximize() ? -grad[e] : grad[e];
      if (scales != null) {
        double mult = 0;
        for (double s : scales[e]) {
          mult += s * s;
        }
        d *= mult;
      }
      d += wd * p[e];
      if (options.momentum() != 0) {
        momentumBuffer[e] =
            first ? d : options.momentum() * momentumBuffer[e] + (1 - options.dampening()) * d;
        d = options.nesterov() ? d + options.momentum() * momentumBuffer[e] : momentumBuffer[e];
      }
      p[e] -= lr * d;
    }
  }

  void adamW(double[] grad, double lr, double wd, AdamWOptions options, boolean official) {
    steps++;
    double correction1 = 1 - Math.pow(options.beta1(), (double) steps);
    double correction2 = 1 - Math.pow(options.beta2(), (double) steps);
    for (int e = 0; e < p.length; e++) {
      double mult = 1;
      if (scales != null && official) {
        mult = 0;
        for (double s : scales[e]) {
          mult += s;
        }
      }
      double g = (options.maximize() ? -grad[e] : grad[e]) * mult;
      p[e] *= 1 - lr * wd;
      m[e] = options.beta1() * m[e] + (1 - options.beta1()) * g;
      v[e] = options.beta2() * v[e] + (1 - options.beta2()) * g * g;
      max[e] = Math.max(max[e], v[e]);
      double root = Math.sqrt(options.amsgrad() ? max[e] : v[e]) / Math.sqrt(correction2);
      double step = 0;
      if (scales == null || official) {
        step = mult * m[e] / (root + options.eps());
      } else {
        for (double s : scales[e]) {
          step += s == 0 ? 0 : s * (s * m[e]) / (Math.abs(s) * root + options.eps());
        }
      }
      p[e] -= lr / correction1 * step;
    }
  }
}
