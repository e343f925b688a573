// Run folders in
export { readRun, readStartedRun } from './read-run.js';
export { readRunGroup } from './read-run-group.js';
export type {
  Accuracies,
  ClassScores,
  EpochMetrics,
  GroupSummary,
  HeadMetrics,
  SplitMetrics,
  PerModality,
  Run,
  RunConfig,
  RunEnvironment,
  RunGroup,
  RunPredictions,
  RunSummary,
  RunTeacher,
  Selection,
  StartedRun,
  Task,
} from './run.js';

// Tables out
export { resultsTable, type ResultsRow } from './results-table.js';
export { formatTable } from './format-table.js';

export { compareRuns } from './compare/compare-runs.js';
export type { Comparison, ComparisonRow, ComparisonTable, Gain } from './compare/comparison.js';
export type { RowCost, TeachersCost } from './compare/cost.js';
export type { SettingDifference } from './compare/setting-differences.js';
export type { Estimate, EstimateOptions } from './compare/estimate.js';
export type { ComparisonColumn } from './compare/cells.js';
export { formatComparison, type ComparisonFormat } from './compare/format-comparison.js';

// A page out
export { renderReport, type ReportOptions } from './report/group/group-page.js';
export { renderComparison, type ComparisonReportOptions } from './report/compare/comparison-page.js';
export { renderRunReport, type RunReportOptions } from './report/run/run-page.js';
export type { ReportPart, ReportSample } from './report/samples.js';
export type { GrayImage } from './report/png.js';

// Modalities that are missing
export { formatMissing } from './missing/format-missing.js';
export { renderMissing, type MissingPageOptions } from './missing/missing-page.js';
export type { MaskedScores, MissingResults } from './missing/missing-results.js';

// Several seeds
export { meanAndDeviation, meanInterval, type Interval } from './mean-interval.js';

// The paper's figures: as numbers
export { scoreGap } from './figures/score-gap.js';
export { featureGap, relativeFeatureGap } from './figures/feature-gap.js';
export { alignmentBaseline, featureAlignment } from './figures/feature-alignment.js';
export { confidenceRatio } from './figures/confidence-ratio.js';
export { teacherConfidenceRatio, type EpochRatio } from './figures/teacher-confidence-ratio.js';
export type { FeatureRows } from './figures/feature-rows.js';

// As data, and as pictures of them
export { accuracyFigure } from './figures/data/accuracy-figure.js';
export { confidenceFigure } from './figures/data/confidence-figure.js';
export { gapFigure, type GapRun, type GapRuns } from './figures/data/gap-figure.js';
export { alignmentFigure, type AlignmentRun, type AlignmentRuns } from './figures/data/alignment-figure.js';
export { ratioFigure, type ConfidenceRun, type ConfidenceRuns } from './figures/data/ratio-figure.js';
export type { FigureClaim, FigureData, FigureRuns, FigureValue } from './figures/data/figure-data.js';
export { figureCsv } from './figures/figure-csv.js';
export { figureSvg } from './figures/picture/figure-svg.js';
