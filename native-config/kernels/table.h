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
  int64 kh, kw, groups;
  const double* coefficients;
};

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
  int64 out, in, kh, kw, groups;
  int64 channels_last;  // memory goes out, kh, kw, in / groups rather than out, in / groups, kh, kw
  int64 branch_count;
  const Branch* branches;
  double average_decay;
  double numbers[9];    // Sgd or AdamW, field by field
};

static_assert(sizeof(Branch) == 4 * 8 && sizeof(Row) == 28 * 8, "Java counts on these fields");

// The range of inputs, counted within the block's group, that a branch sees for an output channel.
struct Inputs {
  int64 first, count;
};

REPOPT_FUNCTION Inputs inputs(const Row& row, const Branch& branch, int64 o) {
  const int64 count = row.in / branch.groups;
  const int64 of_branch = o / (row.out / branch.groups) * count;
  const int64 of_block = o / (row.out / row.groups) * (row.in / row.groups);
  return {of_branch - of_block, count};
}

}  // namespace repopt

#endif
