// The table of a step: one row of 8-byte fields for each parameter, which Java fills (class UpdateTable). Nothing here owns memory.
#ifndef REPOPT_TABLE_H
#define REPOPT_TABLE_H

#include "element.h"

namespace repopt {

typedef long long int64;

enum Rule { SGD = 0, ADAMW_OFFICIAL = 1, ADAMW_EXACT = 2 };
enum Type { FLOAT32 = 0, FLOAT64 = 1, BFLOAT16 = 2, FLOAT16 = 3 };

// A branch of the parameter's block in the compact form of its Grad Mult: where it lies, and a number for each output channel:
// s² for SGD, s for both rules of AdamW.
struct Branch {
  int64 kh, kw;
  int64 inputs, outputs;  // channels of one of its groups
  const double* coefficients;
  int64 taps;  // a bit for each place of the block's kernel, row by row: whether the branch has parameters there; of at most TAP_BITS places
};

constexpr int TAP_BITS = 32;

struct Row {
  void* parameter;      // of the row's type
  void* gradient;       // of the row's type, in the parameter's layout
  void* master;         // float32, or null: the parameter itself is what is updated
  void* buffers[3];     // of the updated tensor's type: momentum, or first moment, second moment, its maximum; null where not kept
  void* average;        // of the updated tensor's type, or null
  int64 elements;
  int64 type;
  int64 clear;          // whether the gradient is to be filled with zeros
  // The convolution's kernel; branch_count is 0 where there is no Grad Mult, and then these are not read.
  int64 inputs, outputs;  // channels of one of its groups
  int64 kh, kw;
  int64 channels_last;  // memory goes output, kh, kw, input rather than output, input, kh, kw
  int64 branch_count;
  const Branch* branches;
  double average_decay;
  double numbers[9];    // Sgd or AdamW, field by field
  int64 first_piece;    // how many pieces the rows before have; a CPU does not read it
};

static_assert(sizeof(Branch) == 6 * 8 && sizeof(Row) == 28 * 8, "Java counts on these fields");

// Whether the branch sees every input of the block's group, as most do.
REPOPT_FUNCTION bool sees_all(const Row& row, const Branch& branch) { return branch.inputs == row.inputs; }

// The first input, counted within the block's group, that a branch sees for an output channel.
template <typename I>
REPOPT_FUNCTION I first_input(const Row& row, const Branch& branch, I o) {
  const I of_branch = branch.outputs == 1 ? o : o / static_cast<I>(branch.outputs);
  return of_branch * static_cast<I>(branch.inputs) - o / static_cast<I>(row.outputs) * static_cast<I>(row.inputs);
}

}  // namespace repopt

#endif
