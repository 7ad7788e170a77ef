// What a client wants of the types that openapi-typescript makes. It is compiled, never run.
import type { components, paths } from './contract';

type Schemas = components['schemas'];

export const model: Schemas['NewModel'] = {
  out_features: 3,
  encoder: { type: 'gaussian_tuning', m: 16, x_min: [1, 0.1], x_max: [6.9, 2.5] },
};
export const latency: Schemas['Encoder'] = { type: 'latency', n: 784, scale: 'log' };
export const training: Schemas['TrainRequest'] = { dataset: 'iris', loss: 'margin', epochs: 10 };
export const asking: Schemas['PredictRequest'] = { x: [[1.4, 0.2]], ret_type: ['label', 'v_max'] };

// @ts-expect-error x needs labels or counts
export const unlabelled: Schemas['TrainRequest'] = { x: [[1.4, 0.2]] };
// @ts-expect-error gaussian_tuning needs m
export const unsized: Schemas['EncodeRequest'] = { x_min: [0], x_max: [1], x: [[0.5]] };
// @ts-expect-error there is no such encoder
export const unheard: Schemas['Encoder'] = { type: 'rate' };

export function ofLoss(params: Schemas['RunParams']): number {
  switch (params.loss) {
    case 'cross_entropy':
      return params.beta;
    case 'margin':
      return params.margin_target - params.margin_other;
    default:
      return params.learning_rate;
  }
}

export function ofEncoder(encoder: Schemas['Encoder']): number | string | undefined {
  return encoder.type === 'latency' ? encoder.scale : encoder.m;
}

export function ofReadOut(shown: Schemas['Model']): number | undefined {
  return shown.read_out === 'spike_count' ? shown.max_spikes : shown.hidden?.length;
}

export function copied(shown: Schemas['Model']): Schemas['NewModel'] {
  return { ...shown, id: 'copy' };
}

export function places(problem: Schemas['Problem']): string[] {
  return (problem.errors ?? []).map((e) => ('pointer' in e ? e.pointer : e.parameter));
}

type Predicts = paths['/models/{model}/predict']['post'];
export function firstClass(
  answer: Predicts['responses'][200]['content']['application/json'],
): number | string | null | undefined {
  return answer.label?.[0];
}
