// A training step of a tiny plain network against libtorch in C++: what 'repopt bench --arch custom --num-blocks 1,1,1,1
// --width 0.125,0.125,0.125,0.125 --mode target' computes, with a dense-mask SGD, tensor by tensor. Prints microseconds, one line a step.
//
//   step BATCH RESOLUTION WARMUP REPEATS
#include <torch/torch.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace F = torch::nn::functional;

struct Block {
  torch::Tensor kernel, weight, bias, mean, var;
  Block(int in, int out)
      : kernel((torch::randn({out, in, 3, 3}) * 0.1).requires_grad_()),
        weight(torch::ones({out}).requires_grad_()),
        bias(torch::zeros({out}).requires_grad_()),
        mean(torch::zeros({out})),
        var(torch::ones({out})) {}

  torch::Tensor forward(const torch::Tensor& x) const {
    const torch::Tensor y = torch::conv2d(x, kernel, {}, 2, 1);
    return torch::relu(torch::batch_norm(y, weight, bias, mean, var, true, 0.1, 1e-5, true));
  }
};

struct Parameter {
  torch::Tensor p, mask, buffer;
  double decay;
};

static void update(std::vector<Parameter>& parameters, double rate) {
  torch::NoGradGuard no_grad;
  for (Parameter& one : parameters) {
    torch::Tensor d = one.mask.defined() ? one.p.grad() * one.mask : one.p.grad();
    if (one.decay != 0) d = d.add(one.p, one.decay);
    if (one.buffer.defined()) {
      one.buffer.mul_(0.9).add_(d);
    } else {
      one.buffer = d.clone();
    }
    one.p.add_(d.add(one.buffer, 0.9), -rate);
  }
}

int main(int argc, char** argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: step BATCH RESOLUTION WARMUP REPEATS\n");
    return 2;
  }
  const int batch = atoi(argv[1]), side = atoi(argv[2]), warmup = atoi(argv[3]), repeats = atoi(argv[4]);
  torch::set_num_threads(1);
  torch::manual_seed(0);
  const std::vector<Block> blocks = {{3, 8}, {8, 8}, {8, 16}, {16, 32}, {32, 64}};
  const torch::Tensor weight = (torch::randn({10, 64}) * 0.1).requires_grad_(), bias = torch::zeros({10}).requires_grad_();
  std::vector<Parameter> parameters;
  for (const Block& block : blocks) {
    parameters.push_back({block.kernel, torch::ones_like(block.kernel), {}, 4e-5});
    parameters.push_back({block.weight, {}, {}, 0});
    parameters.push_back({block.bias, {}, {}, 0});
  }
  parameters.push_back({weight, {}, {}, 4e-5});
  parameters.push_back({bias, {}, {}, 0});
  const torch::Tensor x = torch::randn({batch, 3, side, side}), y = torch::randint(10, {batch}, torch::kLong);
  for (int i = 0; i < warmup + repeats; i++) {
    const auto begin = std::chrono::steady_clock::now();
    torch::Tensor h = x;
    for (const Block& block : blocks) h = block.forward(h);
    const torch::Tensor pooled = torch::adaptive_avg_pool2d(h, {1, 1}).flatten(1);
    const torch::Tensor loss = F::cross_entropy(torch::linear(pooled, weight, bias), y);
    for (Parameter& one : parameters) one.p.mutable_grad().reset();
    loss.backward();
    update(parameters, 1e-6);
    const double value = loss.item<double>();
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    if (i >= warmup) printf("%.2f %.4f\n", took.count(), value);
  }
  return 0;
}
