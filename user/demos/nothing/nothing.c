/*
 * A program that does nothing: what starting and ending a process costs, without the program (user/demos/bench).
 */
int main(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)argv;
	(void)envp;
	return 42;
}
