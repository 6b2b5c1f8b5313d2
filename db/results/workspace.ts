export type Settings = Record<string, string | number | boolean>

export type SettingsChange = Record<string, string | number | boolean | null>

export type MergedSettings = { settings: Settings }
