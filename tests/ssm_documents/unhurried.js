// The simulator of cdk-ssm-documents waits ten seconds for a script, however busy the machine is. Loaded before it, this
// lets it wait for as long as the script takes; what a script may take is for script_host.py to say.
const wait = Atomics.wait;
Atomics.wait = (array, index, value) => wait(array, index, value);
