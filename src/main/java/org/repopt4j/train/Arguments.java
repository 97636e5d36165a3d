package org.repopt4j.train;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.repopt4j.runtime.Natives;

/**
 * The settings of a run under the names of the command line's options, as {@code args.yaml} holds
 * them.
 */
final class Arguments {
  private Arguments() {}

  static Map<String, Object> of(TrainConfig config) {
    Map<String, Object> args = new LinkedHashMap<>();
    args.put("arch", config.arch().spec());
    args.put("mode", config.mode().toString());
    args.put("scales", config.scales() == null ? null : config.scales().toString());
    args.put("data", config.data().data());
    args.put(
        "data_dir", config.data().dataDir() == null ? null : config.data().dataDir().toString());
    args.put("batch_size", config.data().batchSize());
    args.put("val_batch_size", config.data().valBatchSize());
    args.put("workers", config.data().workers());
    args.put("no_aug", config.data().noAug());
    args.put("no_flip", config.data().noFlip());
    args.put("opt", lower(config.optim().opt()));
    args.put("lr", config.optim().lr());
    args.put("real_lr", config.realLr());
    args.put("momentum", config.optim().momentum());
    args.put("opt_betas", new double[] {config.optim().beta1(), config.optim().beta2()});
    args.put("opt_eps", config.optim().eps());
    args.put("weight_decay", config.optim().weightDecay());
    args.put("clip_grad", config.optim().clipGrad());
    args.put("allow_clip_with_grad_mults", config.optim().clipWithGradMults());
    args.put("grad_accum_steps", config.optim().gradAccumSteps());
    args.put("smoothing", config.optim().smoothing());
    args.put("sched", lower(config.schedule().sched()));
    args.put("epochs", config.schedule().epochs());
    args.put("warmup_epochs", config.schedule().warmupEpochs());
    args.put("warmup_lr", config.schedule().warmupLr());
    args.put("min_lr", config.schedule().minLr());
    args.put("decay_epochs", config.schedule().decayEpochs());
    args.put("decay_rate", config.schedule().decayRate());
    args.put("seed", config.run().seed());
    args.put("device", config.run().device());
    args.put("precision", lower(config.run().precision()));
    args.put("channels_last", config.run().channelsLast());
    args.put("recompute", config.run().recompute());
    args.put("threads", Natives.threads());
    args.put("deterministic", config.run().deterministic());
    args.put("model_ema_decay", config.run().modelEmaDecay());
    args.put("eval_every", config.run().evalEvery());
    args.put("output", config.run().output().toString());
    return args;
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
