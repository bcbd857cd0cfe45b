/** Environment variables; the named ones are read outside the table of settings. */
export type Environment = {
  readonly [name: string]: string | undefined
  readonly CAN_SWARM_EXIT_WITH_STDIN?: string | undefined
  readonly CAN_SWARM_HOME?: string | undefined
  readonly NO_COLOR?: string | undefined
  readonly XDG_DATA_HOME?: string | undefined
  readonly XDG_RUNTIME_DIR?: string | undefined
}
