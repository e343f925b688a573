// The command, from a program
export { main } from './main.js';

// A command of your own
export {
  defineCommand,
  type Arguments,
  type Command,
  type CommandEntry,
  type CommandOption,
  type CommandOptions,
  type Commands,
  type OptionValues,
  type Output,
} from './command.js';
