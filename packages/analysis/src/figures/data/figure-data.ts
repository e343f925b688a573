/** What a figure shows: numbers, and how they are drawn. Everything that is drawn follows from `values`. */
export interface FigureData {
  /** The paper's number. */
  readonly number: FigureNumber;
  readonly title: string;
  readonly panels: readonly Panel[];
  /** How many panels stand side by side. */
  readonly columns: number;
  /** Every number behind the picture, by seed. */
  readonly values: readonly FigureValue[];
  /** What the paper says of it, as numbers. */
  readonly claims: readonly FigureClaim[];
  /** What a reader has to know, as sentences. */
  readonly notes: readonly string[];
}

export type FigureNumber = 1 | 3 | 4 | 5 | 6;

/** One number of one run. */
export interface FigureValue {
  /** Such as `accuracy` or `featureGap`. */
  readonly quantity: string;
  readonly dataset: string;
  /** As in the run's `config.json`; `teacher` for a teacher. */
  readonly method: string;
  /** `fused` for the whole model, empty for what is about several modalities. */
  readonly head: string;
  readonly seed: number;
  readonly split: string;
  /** Counts from 1, 0 for the initial weights. Absent for the epoch that the run selected. */
  readonly epoch?: number;
  /** The sample's id, of values by sample. */
  readonly sample?: string;
  readonly value: number;
}

/** An inequality of the paper with the numbers that decide it, one for each seed. */
export interface FigureClaim {
  /** As in the list of claims: `F4.1`. */
  readonly id: string;
  readonly dataset: string;
  /** What the values are, in words: `gap of G2D − gap of joint training`. */
  readonly words: string;
  /** `above` 0; `at most` the limit; or true for each seed by itself: 1, or less where it is not. */
  readonly kind: 'above' | 'below' | 'at most' | 'always';
  readonly limit: number;
  readonly values: readonly { readonly seed: number; readonly value: number }[];
}

/** Of a picture: what a colour and a shape stand for. Colours are those of Okabe and Ito, which people of all kinds of sight tell apart. */
export type Tone = 'black' | 'gray' | 'blue' | 'orange' | 'green' | 'purple' | 'sky' | 'vermilion';

interface PanelBase {
  readonly title: string;
  /** A second line, smaller. */
  readonly note?: string;
  /** Lines of text below. */
  readonly caption?: readonly string[];
}

/** Lines over epochs. */
export interface LinesPanel extends PanelBase {
  readonly kind: 'lines';
  readonly x: { readonly label: string; readonly domain: readonly [number, number] };
  readonly y: { readonly label: string; readonly domain: readonly [number, number] };
  readonly series: readonly {
    readonly name: string;
    readonly tone: Tone;
    readonly dashed?: boolean;
    readonly points: readonly (readonly [x: number, y: number])[];
    /** Between a low and a high value. */
    readonly band?: readonly (readonly [x: number, low: number, high: number])[];
    /** Points of the line that stand out. */
    readonly marks?: readonly (readonly [x: number, y: number])[];
  }[];
  readonly verticals?: readonly { readonly x: number; readonly label: string }[];
}

/** Bars in groups. */
export interface BarsPanel extends PanelBase {
  readonly kind: 'bars';
  readonly y: { readonly label: string; readonly domain: readonly [number, number] };
  readonly groups: readonly {
    readonly name: string;
    readonly bars: readonly {
      readonly name: string;
      readonly tone: Tone;
      readonly value: number;
      readonly deviation?: number;
      /** A short line across the bar: what there would be anyway. */
      readonly baseline?: number;
    }[];
  }[];
  /** What the short lines are, if there are any. */
  readonly baselines?: string;
  /** A line across all groups. */
  readonly level?: number;
}

/** Points of several kinds in one plane. */
export interface PointsPanel extends PanelBase {
  readonly kind: 'points';
  readonly x: { readonly label: string; readonly domain: readonly [number, number] };
  readonly y: { readonly label: string; readonly domain: readonly [number, number] };
  readonly clouds: readonly {
    readonly name: string;
    readonly tone: Tone;
    readonly points: readonly (readonly [x: number, y: number])[];
  }[];
  /** Joins the i-th points of the first two clouds by a faint line. */
  readonly paired: boolean;
}

export type Panel = LinesPanel | BarsPanel | PointsPanel;

/** The runs of one dataset that a figure is made from. */
export interface FigureRuns<R> {
  /** How the figure calls it: `av-mnist-small`. */
  readonly dataset: string;
  readonly runs: readonly R[];
}
