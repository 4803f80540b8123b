/** Settings of a server by name, with the value that it runs with and the one that it should have, as text. */
export type SettingChanges = Readonly<
  Record<string, { readonly oldValue: string; readonly newValue: string }>
>;
