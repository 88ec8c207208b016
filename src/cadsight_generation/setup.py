from setuptools import find_packages, setup

package_name = "cadsight_generation"

setup(
    name=package_name,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/" + package_name]),
        ("share/" + package_name, ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=True,
    maintainer="CADsight maintainers",
    maintainer_email="maintainers@cadsight.dev",
    description="Images that networks make, with no ROS.",
    license="Apache-2.0",
    extras_require={"test": ["pytest"]},
)
